"""`--plot --source paper` and `--compare paper`, on a small archive in the authors' format."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from errors import refuses
from fabricated import fabricate
from matplotlib import colors
from wording import is_told

from experiments.toy_models.smaller.balanced_x_smaller_longer_perclass import experiments
from optexp_jax import load_results
from optexp_jax.cli import main
from optexp_jax.optim import SGD, Adam, LearningRate
from optexp_jax.plotting import Compared
from optexp_jax.results.release_ids import release_id

RATES = [LearningRate(e) for e in (-3, -2, -1)]
RUNS = [e for e in experiments if e.optimizer.learning_rate in RATES]
GROUP = RUNS[0].group
METRIC = "tr_CrossEntropyLoss"


def release(workspace, experiment, rows=4, scale=1.0):
    """A table with the columns of the authors' files, one row for each evaluation."""
    epochs = [0, 100, 1000, 10_000][:rows]
    losses = scale * np.array([4.8, 4.7, 4.0, 0.5])[:rows]
    by_class = [np.full(127, loss) for loss in losses]
    table = pd.DataFrame({"_step": range(rows), "epoch": epochs, METRIC: losses})
    table[f"{METRIC}PerClass"] = by_class
    path = workspace / "wandb_cache" / experiment.group
    path.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path / f"{release_id(experiment)}.parquet")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Our runs, made up, and the authors', which are best at another rate."""
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    for experiment in RUNS:
        fabricate(tmp_path, experiment)
        scale = 1 + abs(float(experiment.optimizer.learning_rate.exponent) + 2)
        release(tmp_path, experiment, scale=scale)
    return tmp_path


@pytest.fixture
def call(capsys):
    def called(*argv, of=RUNS):
        with pytest.raises(SystemExit) as ended:
            main(of, argv=["--plot", *argv])
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return called


def names(out):
    return sorted(Path(line).name for line in out.splitlines() if line.endswith(".png"))


def test_results_say_where_they_come_from(workspace):
    ours, theirs = (load_results(RUNS[0], source=source) for source in ("local", "paper"))
    assert (ours.source, theirs.source) == ("workspace", "paper")
    assert (ours.status, theirs.status) == ("done", "done")
    assert theirs.table[METRIC].iloc[-1] != ours.table[METRIC].iloc[-1]


def test_a_run_that_was_not_extracted_is_missing(tmp_path):
    assert load_results(RUNS[0], tmp_path, "paper").status == "missing"
    assert load_results(RUNS[0], tmp_path, "paper").source == "paper"


def test_an_unknown_source_or_group_is_named(tmp_path):
    with refuses("unknown-source", source="theirs"):
        load_results(RUNS[0], tmp_path, "theirs")
    with refuses("group-not-released", group="mine"):
        load_results(dataclasses.replace(RUNS[0], group="mine"), tmp_path, "paper")


@pytest.mark.parametrize(
    ("options", "files"),
    [
        (["--source", "paper"], ["best_runs_paper.png", "final_loss_paper.png"]),
        (["--source", "paper", "--perclass"], ["per_class_paper.png"]),
        (["--compare", "paper"], ["best_runs_against_paper.png", "final_loss_against_paper.png"]),
        (["--compare", "paper", "--perclass"], ["per_class_against_paper.png"]),
        (["--compare", "paper", "--perclass", "--epoch", "5000"],
         ["per_class_against_paper_epoch5000.png"]),
    ],
)  # fmt: skip
def test_figures_have_names_of_their_own(workspace, call, options, files):
    code, out, err = call(*options)
    assert (code, err) == (0, "")
    assert names(out) == files
    assert all((workspace / "plots" / GROUP / name).stat().st_size for name in files)


def lines_of(axes, style):
    return [
        line for line in axes.get_lines() if len(line.get_xdata()) > 1 and is_solid(line) == style
    ]


def is_solid(line):
    return line.get_linestyle() == "-"


def test_ours_are_solid_and_theirs_dashed_on_the_same_axes(workspace):
    sides = {
        name: [load_results(e, source=source) for e in RUNS]
        for name, source in (("ours", "local"), ("paper", "paper"))
    }
    compared = Compared(sides, x="epoch")
    figure = compared.best_over_time()
    assert len(figure.axes) == 2  # a panel for each method
    for axes, kind in zip(figure.axes, (SGD, Adam), strict=True):
        (ours,), (theirs,) = lines_of(axes, True), lines_of(axes, False)
        np.testing.assert_allclose(theirs.get_ydata(), [4.8, 4.7, 4.0, 0.5])
        assert len(ours.get_ydata()) > 4
        assert {line.get_color() for line in (ours, theirs)} == {kind.appearance.color}
        assert "10^{-2}" in axes.get_title()  # theirs
    grid = compared.final_against_rate()
    dashed = lines_of(grid.axes[0], False)[0]
    np.testing.assert_allclose(dashed.get_ydata(), [1.0, 0.5, 1.0])
    np.testing.assert_allclose(dashed.get_xdata(), [1e-3, 1e-2, 1e-1])
    groups = compared.per_class().axes[0]
    solid, dashed = (
        [colors.to_hex(ln.get_color()) for ln in lines_of(groups, s)] for s in (True, False)
    )
    assert solid == dashed
    assert len(set(solid)) > 2


def test_a_method_of_one_side_is_drawn_and_what_is_missing_said(workspace):
    ours = [load_results(e) for e in RUNS]
    theirs = [load_results(e, source="paper") for e in RUNS if isinstance(e.optimizer, SGD)]
    figure = Compared({"ours": ours, "paper": theirs}, x="epoch").best_over_time()
    assert [len(lines_of(axes, False)) for axes in figure.axes] == [1, 0]


def test_a_rate_at_which_only_theirs_diverged_is_a_cross(workspace):
    largest = [e for e in RUNS if e.optimizer == SGD(RATES[-1])]
    for experiment in largest:
        release(workspace, experiment, rows=2)
    sides = {
        "ours": [load_results(e) for e in RUNS],
        "paper": [load_results(e, source="paper") for e in RUNS],
    }
    first = Compared(sides).final_against_rate().axes[0]
    crosses = [line.get_xdata() for line in first.get_lines() if line.get_marker() == "x"]
    assert [list(x) for x in crosses] == [[], [0.1]]


@pytest.mark.parametrize("option", ["--source", "--compare"])
def test_one_sentence_where_there_is_nothing_of_the_paper(tmp_path, monkeypatch, call, option):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    code, _, err = call(option, "paper")
    assert (code, err.count("\n")) == (2, 1)
    assert is_told("released-runs-not-here", err, group=GROUP, workspace=tmp_path)
    mine = [dataclasses.replace(e, group="mine") for e in RUNS]
    code, _, err = call(option, "paper", of=mine)
    assert (code, err.count("\n")) == (2, 1)
    assert is_told("group-not-released", err, group="mine")
    assert not list(tmp_path.rglob("*.png"))


def test_a_damaged_archive_is_one_sentence(workspace, call):
    path = next(workspace.glob("wandb_cache/*/*"))
    path.write_bytes(path.read_bytes()[:100])
    code, _, err = call("--compare", "paper")
    assert (code, err.count("\n")) == (2, 1)
    assert is_told("released-run-unreadable", err, path=path)


def test_compare_and_source_exclude_each_other(workspace, call):
    code, _, err = call("--compare", "paper", "--source", "paper")
    assert code == 2
    assert is_told("compare-with-source", err)


@pytest.mark.parametrize("option", [("--log", "y"), ("--facet", "momentum")])
def test_compare_chooses_its_own_axes(call, option):
    code, _, err = call("--compare", "paper", *option)
    assert code == 2
    assert is_told("compare-with-axes", err)
