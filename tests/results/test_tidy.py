"""Tidy tables: every row, every field, and nothing that is not there."""

import dataclasses
import io
import warnings

import numpy as np
import pandas as pd
import pytest
from errors import refuses
from small_workspaces import COUNTS, DATASET, LOSS, record, run

from optexp_jax import register
from optexp_jax.optim import SGD, Adam, LearningRate, LineSearchGD
from optexp_jax.results import latex, tidy
from optexp_jax.results.load import read_results
from optexp_jax.results.summary import method_names, summary_of


@register("test-tidy-odd")
@dataclasses.dataclass(frozen=True)
class Odd:
    """An optimizer with fields that are like columns, or no numbers."""

    learning_rate: LearningRate
    step: int = 7
    beta1: str = "none"
    rates: tuple[int, ...] = (1, 2)

    def build(self):
        raise NotImplementedError


def results(tmp_path, *experiments, **how):
    return [read_results(record(tmp_path, e, **how)) for e in experiments]


def test_a_row_for_each_run_and_step_with_every_field(tmp_path):
    sgd, adam = run("-3/2", seed=3), run(-2, Adam)
    found = results(tmp_path, sgd, adam)
    table = tidy.by_step(found)
    assert list(table) == [
        "group", "id", "optimizer", "learning_rate", "lr", "momentum", "beta1", "beta2", "eps",
        "seed", "status", "step", "epoch", LOSS, "tr_Accuracy",
    ]  # fmt: skip
    assert len(table) == 10
    first = table.iloc[0]
    assert (first["id"], first["optimizer"], first["group"]) == (sgd.id, "SGD", "a")
    assert (first["learning_rate"], first["lr"]) == ("10^-3/2", float(LearningRate("-3/2")))
    assert (first["seed"], first["status"], first["momentum"]) == (3, "done", 0.0)
    assert table["beta1"].tolist()[5:] == [0.9] * 5
    assert table["beta1"][:5].isna().all()
    assert table["step"].tolist() == [0, 1, 2, 3, 4] * 2
    for r, rows in zip(found, (table[:5], table[5:]), strict=True):
        assert np.array_equal(rows[LOSS], r.table[LOSS])
    assert [table[n].dtype.kind for n in ("step", "seed", "lr", "epoch")] == ["i", "i", "f", "f"]


def test_a_row_for_each_class_with_counts_and_groups(tmp_path):
    (r,) = results(tmp_path, run())
    table = tidy.by_class([r])
    assert len(table) == 5 * len(COUNTS)
    assert table["class"].tolist() == list(range(7)) * 5
    assert table["count"].tolist() == COUNTS.tolist() * 5
    assert table["step"].tolist() == np.repeat(range(5), 7).tolist()
    assert table["epoch"].tolist() == np.repeat(np.arange(5) / 2, 7).tolist()
    assert np.array_equal(table[f"{LOSS}PerClass"], r.per_class[f"{LOSS}PerClass"].reshape(-1))
    groups = DATASET.groups(COUNTS)
    assert len(groups) > 2
    for i, group in enumerate(groups):
        assert set(table.loc[table["frequency_group"] == i, "class"]) == set(group.tolist())


def test_fields_that_are_like_columns_or_of_several_kinds(tmp_path):
    table = tidy.by_step(results(tmp_path, run(-1, Odd), run(-1, Adam)))
    assert table["optimizer_step"][0] == 7
    assert table["step"].tolist() == [0, 1, 2, 3, 4] * 2
    assert (table["rates"][0], table["beta1"][0], table["beta1"][5]) == ("[1,2]", '"none"', "0.9")


def test_runs_without_rows_or_arrays_have_none(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        empty = tidy.by_step([])
        assert (len(empty), list(empty)[-2:]) == (0, ["step", "epoch"])
        plain, mixed = run(-1, per_class=False), run(-2)
        found = results(tmp_path, plain, mixed)
        assert len(tidy.by_step(found)) == 10
        by_class = tidy.by_class(found)
        assert set(by_class["id"]) == {mixed.id}
        assert len(tidy.by_class(found[:1])) == 0


@pytest.mark.parametrize("by_class", [False, True])
def test_what_is_not_finite_survives_parquet_and_csv(tmp_path, by_class):
    found = results(tmp_path / "ws", run(), how="diverged")
    table = tidy.by_class(found) if by_class else tidy.by_step(found)
    name = f"{LOSS}PerClass" if by_class else LOSS
    assert not np.isfinite(table[name].iloc[-1])
    table.to_parquet(tmp_path / "x.parquet", index=False)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x.parquet"), table)
    again = pd.read_csv(io.StringIO(table.to_csv(index=False, na_rep="nan")))
    assert np.array_equal(again[name].astype(table[name].dtype), table[name], equal_nan=True)


# -- the best of each method ----------------------------------------------------------------------


def test_the_table_of_latex_has_the_best_rate_of_each_method(tmp_path):
    found = [
        read_results(record(tmp_path, run(exponent, kind, seed=seed), scale=scale + seed / 4))
        for exponent, kind, scale in ((-1, SGD, 2.0), (-2, SGD, 1.0), ("-3/2", Adam, 3.0))
        for seed in (0, 1)
    ]
    unit = float(found[2].table[LOSS].iloc[-1])  # of scale 1
    lines = latex.best_table(found).splitlines()
    assert lines[0] == r"\begin{tabular}{llrrr}"
    cells = [line.removesuffix(r" \\").split(" & ") for line in lines[4:6]]
    number = latex.number
    spread = f"{number(unit)} to {number(1.25 * unit)}"
    assert cells[0] == ["SGD", "$10^{-2}$", number(1.125 * unit), spread, "2"]
    assert cells[1][:3] == ["Adam + momentum", "$10^{-3/2}$", number(3.125 * unit)]
    assert lines[6:] == [r"\bottomrule", r"\end{tabular}"]


@pytest.mark.slow
def test_the_table_of_latex_leaves_out_what_never_ended(tmp_path):
    found = results(tmp_path, run()) + results(tmp_path, run(-3, Adam), how="preempted")
    assert "SGD" in latex.best_table(found)
    assert "Adam" not in latex.best_table(found)
    longer = results(tmp_path, run(steps=8), how="preempted")
    with refuses("different-lengths"):
        latex.best_table(found + longer)


def test_a_method_without_a_rate_and_a_single_seed_show_none(tmp_path):
    experiment = dataclasses.replace(run(), optimizer=LineSearchGD())
    (line,) = latex.best_table(results(tmp_path, experiment)).splitlines()[4:-2]
    name, rate, _, spread, seeds = line.removesuffix(r" \\").split(" & ")
    assert (name, rate, spread, seeds) == ("LineSearchGD", "--", "--", "1")


def test_signs_of_latex_are_escaped():
    assert latex.escaped(r"a_b & 5% {x} \y ~ ^ # $") == (
        r"a\_b \& 5\% \{x\} \textbackslash{}y \textasciitilde{} \textasciicircum{} \# \$"
    )


def test_methods_of_one_name_are_told_apart():
    optimizers = [Adam("10^-1"), Adam("10^-1", beta2=0.9), Adam("10^-2"), SGD("10^-1")]
    assert list(method_names(optimizers).values()) == [
        "Adam + momentum (beta2=0.999)",
        "Adam + momentum (beta2=0.9)",
        "SGD",
    ]


def test_a_summary_has_the_best_and_the_last_loss(tmp_path):
    found = summary_of(record(tmp_path, run(-1), "diverged", last=3))
    losses = read_results(found.folder).table[LOSS]
    assert (found.status, found.best, found.final) == ("diverged", losses[2], np.inf)
    assert found.bytes > 1000
    assert found.problem is None
    damaged = record(tmp_path, run(-2))
    (damaged.path / "metrics.parquet").write_bytes(b"x")
    found = summary_of(damaged)
    assert (found.status, np.isnan(found.final)) == ("damaged", True)
    assert str(damaged.path) in found.problem
