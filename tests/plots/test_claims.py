"""Verdicts on claims, and the measures they are about, on arrays made by hand."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from errors import refuses

from optexp_jax import Experiment, Problem
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.errors import OptexpError
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, LearningRate
from optexp_jax.results.load import Results
from plots import claims, effect_sizes
from plots.claim import Claim
from plots.figures import CLAIMS
from plots.runs import Chosen, MissingRunsError, Runs
from plots.verdicts import Verdict, deciding, summary

DATASET = HeavyTailedOneHot(10)  # 1 class of 10 examples, 10 of 1
STEPS = np.arange(7)


def a_run(optimizer, frequent, rare):
    experiment = Experiment(
        Problem(Linear(11, 11), DATASET, SquaredLoss()), optimizer, "g", steps=6, per_class=True
    )
    by_class = np.column_stack([frequent, *[rare] * 10])
    table = {
        "step": STEPS,
        "epoch": STEPS,
        "tr_SquaredLoss": by_class @ DATASET.class_counts() / 20,
    }
    return Results(
        experiment, "done", pd.DataFrame(table), {"tr_SquaredLossPerClass": by_class}, STEPS,
        DATASET.class_counts(), {},
    )  # fmt: skip


GD = a_run(SGD(LearningRate(0), momentum=0.9), 1 - STEPS / 8, 1 + STEPS / 6)
ADAM = a_run(Adam(LearningRate(0)), 1 - STEPS / 12, 1 - STEPS / 6)
CHOSEN = Chosen({r.experiment.optimizer: [r] for r in (GD, ADAM)})


def test_measures_are_those_of_the_arrays():
    assert effect_sizes.groups(GD).tolist() == pytest.approx([0.25, 2.0])
    assert effect_sizes.groups(GD, 3).tolist() == pytest.approx([0.625, 1.5])
    assert effect_sizes.start(GD).tolist() == pytest.approx([1.0, 1.0])
    assert effect_sizes.overall(GD) == pytest.approx((10 * 0.25 + 10 * 2) / 20)
    assert effect_sizes.spread(GD) == pytest.approx(1.75)
    assert (effect_sizes.last(GD), effect_sizes.early(GD)) == (6, 2)
    assert effect_sizes.rarest_over_start(GD) == pytest.approx(2.0)
    assert effect_sizes.rarest_gap(CHOSEN) == pytest.approx(2.0)
    assert effect_sizes.rarest_gap(CHOSEN, 3) == pytest.approx(1.0)
    assert effect_sizes.overall_gap(CHOSEN) == pytest.approx(1.125 - 0.25)
    assert effect_sizes.rarest_ratio(
        CHOSEN, effect_sizes.ADAM, effect_sizes.GD, 3
    ) == pytest.approx(1 / 3)
    assert effect_sizes.steps_to_halve(ADAM, effect_sizes.RAREST) == 3
    assert effect_sizes.steps_to_halve(ADAM, effect_sizes.MOST_FREQUENT) == 6
    assert effect_sizes.steps_to_halve(GD, effect_sizes.RAREST) == np.inf


@pytest.mark.parametrize(
    ("side", "value", "word", "threshold"),
    [
        ({"at_least": 1.0}, 1.0, "holds", "≥ 1"),
        ({"at_least": 1.0}, 0.99, "fails", "≥ 1"),
        ({"at_most": 0.0}, 0.0, "holds", "≤ 0"),
        ({"at_most": 0.0}, 1e-9, "fails", "≤ 0"),
        ({"at_most": 1e-6}, float("nan"), "fails", "≤ 1e-06"),
        ({"at_least": 1.0}, float("nan"), "fails", "≥ 1"),
    ],
)
def test_a_claim_holds_on_one_side_of_its_threshold(tmp_path, side, value, word, threshold):
    claim = Claim("1", "words", lambda runs: value, **side)
    verdict = claims.judged(claim, Runs(tmp_path, "small"))
    assert (verdict.word, claim.threshold) == (word, threshold)


@pytest.mark.parametrize(("value", "words"), [(0.12345, "0.123"), (np.nan, "undefined")])
def test_what_is_measured_is_said_in_three_digits_or_a_word(tmp_path, value, words):
    claim = Claim("1", "words", lambda runs: value, at_most=1.0)
    assert claims.judged(claim, Runs(tmp_path, "small")).measured == words


def test_a_claim_without_runs_is_neither(tmp_path):
    def missing(runs):
        raise MissingRunsError("run this")

    verdict = claims.judged(Claim("1", "words", missing, at_most=1.0), Runs(tmp_path, "small"))
    assert (verdict.word, verdict.value, verdict.reason) == ("no data", None, "run this")


def at(scale, value):
    return Verdict(Claim("1", "words", lambda runs: 0.0, at_least=1.0), value, scale=scale)


@pytest.mark.parametrize(
    ("small", "medium", "word", "scale"),
    [
        (1.0, 2.0, "holds", "small"),
        (0.5, 2.0, "holds", "medium"),
        (0.5, 0.6, "fails", "small"),
        (0.5, None, "fails", "small"),
        (None, 0.5, "fails", "medium"),
        (None, None, "no data", "small"),
    ],
)
def test_of_several_scales_the_first_that_holds_counts(small, medium, word, scale):
    row = [at("small", small), at("medium", medium)]
    assert (deciding(row).word, deciding(row).scale) == (word, scale)


def test_a_summary_names_the_scales_where_there_are_several():
    rows = [[at("small", 0.5), at("medium", 2.0)], [at("small", 0.5), at("medium", None)]]
    said = "2 claims: 1 hold at small or medium scale, 1 fail, 0 without data."
    assert summary(rows) == said
    assert summary([row[:1] for row in rows]) == "2 claims: 0 hold, 2 fail, 0 without data."


def test_claims_are_judged_at_every_scale_that_is_asked_for(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    asked = ["--figure", "theorem 3", "--json", "--scale", "small", "--scale", "medium"]
    assert claims.check_claims(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["scale"] for row in found] == ["small", "medium"] * 2
    assert claims.check_claims([*asked[:2], *asked[3:]]) == 0
    assert "2 hold at small or medium scale" in capsys.readouterr().out


def test_all_runs_diverged_is_no_data(tmp_path):
    def measure(runs):
        raise OptexpError("Every finished run diverged.")

    verdict = claims.judged(Claim("1", "words", measure, at_most=1.0), Runs(tmp_path, "small"))
    assert (verdict.word, verdict.reason) == ("no data", "Every finished run diverged.")


def test_every_claim_has_one_threshold_and_an_origin():
    with pytest.raises(ValueError):
        Claim("1", "words", lambda runs: 0.0)
    for claim in CLAIMS:
        assert claim.origin in ("paper", "theorem", "our reading")
    assert len({(c.figure, c.sentence) for c in CLAIMS}) == len(CLAIMS)


def test_theorem_3_needs_no_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    assert claims.check_claims(["--figure", "theorem 3", "--json", "--scale", "small"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [claim["verdict"] for claim in found] == ["holds", "holds"]
    assert found[0]["threshold"] == "≤ 1e-06"


def test_an_empty_workspace_has_no_data(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    assert claims.check_claims(["--figure", "4", "--scale", "small"]) == 0
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert re.search(r"\b0\b.*\b0\b.*\b2\b", said)  # hold, fail, have no data
    assert "python -m experiments.toy_models.balanced_x_perclass --local --scale small" in said


@pytest.mark.parametrize("figure", [pytest.param("10", marks=pytest.mark.slow), "20"])
def test_claims_about_figures_without_a_medium_form_need_no_runs(figure, monkeypatch, tmp_path):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    assert claims.check_claims(["--scale", "medium", "--figure", figure]) == 0


def test_a_figure_without_claims_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    with refuses("no-claim", figure="99"):
        claims.check_claims(["--figure", "99"])
