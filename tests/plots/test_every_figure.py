"""Every figure that is drawn from runs, at small scale, from runs that nobody trained."""

import functools

import pytest
from fabricated import fabricate, keep_start

from optexp_jax.plotting import save
from optexp_jax.results.selection import method_of
from plots.figures import FIGURES as ALL
from plots.figures import figure_18
from plots.runs import Runs

FIGURES = {f.number: f for f in ALL if f.modules}
# Figure 30 is drawn as 28, 29 and 31 are, of a ResNet, which takes a minute to compile.
FOUND = [n for n in FIGURES if n != "30"]
OF_MOST_LAYOUTS = ("2", "4", "6", "18", "19", "20", "21")
# From kept parameters, which takes programs that have to be compiled.
OF_LAYERS = ("7", "8", "9", *map(str, range(26, 34)))
# Shown at learning rates of their own, so that each has to be there.
AT_FIXED_RATES = {m for n in ("19", "20") for m in FIGURES[n].modules}


@pytest.fixture(scope="module")
def runs_of(tmp_path_factory):
    """The workspace, with the runs of a figure made: of each method any learning rate."""
    runs = Runs(tmp_path_factory.mktemp("fabricated"), "small")

    @functools.cache
    def make(module, kept):
        experiments = runs.experiments(module)
        if module not in AT_FIXED_RATES:
            experiments = {(e.group, method_of(e.optimizer)): e for e in experiments}.values()
        for experiment in experiments:
            fabricate(runs.workspace, experiment)
            if kept:
                keep_start(runs.workspace, experiment)

    def made(figure):
        for module in figure.modules:
            make(module, figure.number in OF_LAYERS)
        return runs

    return made


def check(figure, runs):
    (file,) = save(figure.draw(runs), runs.workspace / "plots", figure.file, ["pdf"])
    assert file.read_bytes().startswith(b"%PDF")
    assert file.stat().st_size < 300_000


def test_only_figure_10_needs_no_run():
    assert [str(n) for n in range(1, 34) if str(n) not in FIGURES] == ["10"]


@pytest.mark.parametrize("number", OF_MOST_LAYOUTS)
def test_a_figure_of_most_layouts_is_a_small_file(runs_of, number):
    check(FIGURES[number], runs_of(FIGURES[number]))


@pytest.mark.slow
@pytest.mark.parametrize("number", [n for n in FOUND if n not in OF_MOST_LAYOUTS])
def test_every_other_figure_is_a_small_file(runs_of, number):
    check(FIGURES[number], runs_of(FIGURES[number]))


@pytest.mark.parametrize(("horizon", "end"), [(400, 100), (40, 40)])
def test_figure_18_ends_at_its_horizon_or_with_the_runs(runs_of, monkeypatch, horizon, end):
    monkeypatch.setattr(figure_18, "HORIZON", horizon)
    figure = FIGURES["18"].draw(runs_of(FIGURES["18"]))
    assert figure.axes[0].get_xlim()[1] == figure.axes[2].get_xlim()[1] == end
    assert f"Up to step {horizon}, as in the paper" in figure.texts[-1].get_text()
