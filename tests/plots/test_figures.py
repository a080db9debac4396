"""Which figures there are, what the command says, and one figure from real runs."""

import importlib
import textwrap

import numpy as np
import pytest
from errors import refuses

from experiments.small import small
from experiments.toy_models.weighted_quadratic import experiments as quadratic
from optexp_jax import run
from plots import appendix_figures, command, figures, make_all_plots, paper_figures
from plots.claims import judged
from plots.figures import CLAIMS
from plots.found import claims_of, figures_of, modules_of
from plots.runs import MissingRunsError, Runs


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """The runs of figure 6."""
    folder = tmp_path_factory.mktemp("plots")
    run(small(quadratic), folder)
    return folder


def test_every_figure_of_the_paper_is_there_once():
    numbers = [f.number for f in (*paper_figures.FIGURES, *appendix_figures.FIGURES)]
    assert numbers == [str(n) for n in range(1, 34)]
    assert [f.number for f in paper_figures.FIGURES][-1] == "9"
    assert {f.number for f in make_all_plots.FIGURES} == {*numbers, "legends"}


def test_a_figure_stands_in_the_module_of_its_number():
    for module in modules_of(figures.__path__, figures.__name__):
        name = module.__name__.rpartition(".")[2]
        numbers = {claim.figure.split(", ")[0] for claim in getattr(module, "CLAIMS", [])}
        if hasattr(module, "FIGURE"):
            assert module.FIGURE.file == name
            numbers.add(module.FIGURE.number)
        assert len(numbers) == 1


def test_a_module_that_is_added_is_a_figure_with_claims(monkeypatch, tmp_path):
    added = """
        from plots.claim import Claim
        from plots.figure import main_figure
        FIGURE = main_figure("34", "another", "linreg_perclass")
        CLAIMS = [Claim("34", "it holds", lambda runs: 0.0, at_most=1.0)]
    """
    (tmp_path / "figure_34.py").write_text(textwrap.dedent(added), encoding="utf-8")
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path)])
    modules = modules_of(figures.__path__, figures.__name__)
    numbers = [f.number for f in figures_of(modules)]
    assert numbers == [*(str(n) for n in range(1, 35)), "legends"]
    assert [c.sentence for c in claims_of(modules) if c.figure == "34"] == ["it holds"]


@pytest.mark.parametrize(
    ("where", "field", "value"), [(("huge",), "scale", "huge"), (("paper", "me"), "source", "me")]
)
def test_another_scale_or_source_is_not_the_paper_s(tmp_path, where, field, value):
    with refuses("unknown-choice", field=field, value=value):
        Runs(tmp_path, *where)


def test_every_module_of_a_figure_declares_experiments():
    for figure in make_all_plots.FIGURES:
        for module in figure.modules:
            assert importlib.import_module(f"experiments.{module}").experiments


def test_every_figure_but_the_sheet_of_legends_has_a_claim():
    claimed = {number for claim in CLAIMS for number in claim.figure.split(", ")}
    assert claimed == {*(str(n) for n in range(1, 34)), "theorem 3"}


def test_a_figure_without_its_runs_names_the_command(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    code = command.draw_figures(
        "paper_figures", paper_figures.FIGURES, ["--figure", "4", "--scale", "small"]
    )
    assert code == 1
    said = capsys.readouterr()
    needed = "python -m experiments.toy_models.balanced_x_perclass --local --scale small"
    assert needed in said.out + said.err
    assert not list(tmp_path.glob("plots/**/*.p*"))


@pytest.mark.parametrize(
    ("options", "code", "values"),
    [
        (["--figure", "10"], "unknown-figure", {"figure": "10"}),
        (["--figure", "4,x"], "unknown-figure", {"figure": "x"}),
        (["--figure", "x", "--figure", "4"], "unknown-figure", {"figure": "x"}),
        (["--format", "bmp"], "unknown-format", {"format": "bmp"}),
    ],
)
def test_impossible_wishes_are_refused(monkeypatch, tmp_path, options, code, values):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    with refuses(code, **values):
        command.draw_figures("paper_figures", paper_figures.FIGURES, options)


@pytest.mark.slow
def test_figure_6_is_drawn_from_runs_and_its_claims_hold(monkeypatch, workspace):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(workspace))
    options = ["--figure", "6", "--scale", "small", "--format", "pdf,svg"]
    assert command.draw_figures("paper_figures", paper_figures.FIGURES, options) == 0
    files = sorted((workspace / "plots" / "paper_small").iterdir())
    assert [f.name for f in files] == ["figure_06.pdf", "figure_06.svg"]
    assert files[0].stat().st_size < 300_000
    claims = [c for c in CLAIMS if c.figure == "6"]
    assert [judged(c, Runs(workspace, "small")).word for c in claims] == ["holds"] * 3


@pytest.mark.slow
def test_panels_of_figure_6_are_lettered_and_share_their_axis(workspace):
    figure = next(f for f in paper_figures.FIGURES if f.number == "6")
    drawn = figure.draw(Runs(workspace, "small"))
    assert [axes.get_title()[:3] for axes in drawn.axes] == ["(a)", "(b)", "(c)"]
    assert [bool(axes.get_ylabel()) for axes in drawn.axes] == [True, False, False]
    assert len({axes.get_ylim() for axes in drawn.axes}) == 1
    first = drawn.axes[0].get_lines()
    ends = [line.get_ydata()[-1] for line in first]
    assert ends == sorted(ends)  # GD orders the classes by frequency
    sign = [line.get_ydata() for line in drawn.axes[2].get_lines()]
    np.testing.assert_allclose(sign[0], sign[-1], atol=1e-9)


@pytest.mark.slow
def test_a_method_that_was_not_run_is_named(workspace):
    chosen = Runs(workspace, "small").chosen("toy_models.weighted_quadratic")
    with refuses("method-not-run", MissingRunsError, method="Adam", momentum=True):
        chosen.worst(type(quadratic[1].optimizer), momentum=True)
    assert not chosen.worst(type(quadratic[1].optimizer), momentum=False).experiment.seed
