"""Metrics of one's own choice: what is recorded equals NumPy, whichever way the data are cut."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from small_problems import RANDOM, experiment, initial_parameters, random_problem
from training_rows import alone, assert_close, load, train

import optexp_jax
from optexp_jax import Experiment, MiniBatch
from optexp_jax.backend import use_form
from optexp_jax.losses import Accuracy, CrossEntropy, SquaredLoss, Weighted
from optexp_jax.metrics import (
    CalibrationError,
    MacroAverage,
    Perplexity,
    RankOfLabel,
    TopK,
    rank_of_label,
)
from optexp_jax.models.functional import functional
from optexp_jax.training import program
from optexp_jax.training.metrics import batch_sums

pytestmark = pytest.mark.usefixtures("quickly_compiled")


@optexp_jax.register("test-metrics-margin")
@dataclasses.dataclass(frozen=True)
class Margin:
    """A user's metric, with what is required of one and nothing else."""

    name = "Margin"

    def per_example(self, logits, labels):
        chosen = jnp.take_along_axis(logits, jnp.maximum(labels, 0)[..., None], -1)[..., 0]
        return jnp.where(labels >= 0, chosen - logits.max(-1), 0.0)


METRICS = (
    CalibrationError(4), MacroAverage(), MacroAverage(Perplexity()), Margin(), Perplexity(),
    RankOfLabel(), SquaredLoss(), TopK(3),
)  # fmt: skip
ONE = experiment(random_problem(), steps=5, metrics=METRICS)


@functools.cache
def rows_of_one():
    return alone(ONE)


def expected(logits, labels, classes):
    """The metrics of a row, in float64."""
    n, chosen = len(labels), logits[np.arange(len(labels)), labels]
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    loss = -np.log(p[np.arange(n), labels])
    correct = logits.argmax(1) == labels
    rank = 1 + (logits > chosen[:, None]).sum(1)
    by_class = [labels == k for k in range(classes) if (labels == k).any()]
    number = np.ceil(p.max(1) * 4)
    return {
        "CalibrationError": sum(
            abs((correct[number == b] - p.max(1)[number == b]).sum()) / n for b in range(1, 5)
        ),
        "MacroAccuracy": np.mean([correct[k].mean() for k in by_class]),
        "MacroPerplexity": np.mean([np.exp(loss[k].mean()) for k in by_class]),
        "Margin": (chosen - logits.max(1)).mean(),
        "Perplexity": np.exp(loss.mean()),
        "RankOfLabel": rank.mean(),
        "SquaredLoss": 0.5 * ((logits - np.eye(classes)[labels]) ** 2).sum(1).mean(),
        "Top3Accuracy": (rank <= 3).mean(),
    }


def test_the_first_row_equals_numpy():
    params, state = initial_parameters(ONE)
    data = load(ONE)
    inputs, labels = jnp.asarray(data.train.inputs), np.asarray(data.train.labels)
    logits, _ = functional(ONE.problem.model).apply(params, state, inputs, {}, False)
    wanted = expected(np.asarray(logits, np.float64), labels, RANDOM.num_classes)
    table = rows_of_one().table
    for name, value in wanted.items():
        np.testing.assert_allclose(table[f"tr_{name}"][0], value, rtol=2e-5, err_msg=name)
    assert {f"tr_{name}" for name in wanted} < set(table)


def test_means_by_class_add_to_the_whole():
    rows, counts = rows_of_one(), load(ONE).class_counts
    share = counts / counts.sum()
    for name in ("Margin", "RankOfLabel", "SquaredLoss", "Top3Accuracy"):
        by_class = np.nan_to_num(rows.per_class[f"tr_{name}PerClass"])
        np.testing.assert_allclose(by_class @ share, rows.table[f"tr_{name}"], rtol=1e-5)
    perplexity = np.log(rows.per_class["tr_PerplexityPerClass"]) @ share
    np.testing.assert_allclose(np.exp(perplexity), rows.table["tr_Perplexity"], rtol=1e-5)
    assert not any("Macro" in name or "Calibration" in name for name in rows.per_class)


def test_what_was_recorded_before_is_the_same():
    plain = alone(dataclasses.replace(ONE, metrics=()))
    rows = rows_of_one()
    for name, column in plain.table.items():
        np.testing.assert_allclose(rows.table[name], column, rtol=1e-6, atol=1e-7, err_msg=name)


def test_micro_batches_change_nothing():
    assert_close(alone(ONE, micro_batch=5), rows_of_one(), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("all_devices")
def test_devices_that_share_a_batch_change_nothing():
    assert_close(alone(ONE, devices=2), rows_of_one(), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_few_rows_at_a_time_change_nothing(monkeypatch):
    monkeypatch.setattr(program, "_ROW_BYTES", 500)  # the sums of one or two rows
    assert_close(alone(ONE), rows_of_one(), rtol=1e-6)


@pytest.mark.slow
def test_mini_batches_and_the_form_of_a_gpu():
    one = experiment(random_problem(batching=MiniBatch(7)), steps=9, metrics=METRICS, eval_every=2)
    rows = alone(one)
    with use_form("gpu"):
        assert_close(alone(one), rows, rtol=2e-4, atol=1e-6)


def test_without_metrics_the_sums_are_what_they_always_were():
    logits, labels = jnp.zeros((2, 3)), jnp.array([0, 1])
    plain = batch_sums(CrossEntropy(), logits, labels, 3, True)
    keys = {"loss", "correct", "count"}
    assert set(plain) == keys | {f"class_{key}" for key in keys}


def test_other_metrics_are_another_program_and_another_id():
    plain = dataclasses.replace(ONE, metrics=())
    assert plain.id != ONE.id
    with refuses("not-one-pack"):
        train(plain, ONE)


def test_the_order_of_metrics_is_no_difference_and_they_come_back_from_json():
    turned = dataclasses.replace(ONE, metrics=METRICS[::-1])
    assert turned.id == ONE.id
    again = Experiment.from_json(ONE.to_json())
    assert again == ONE
    assert again.metrics == turned.metrics
    assert '"metrics"' not in dataclasses.replace(ONE, metrics=()).to_json()


@pytest.mark.parametrize(
    ("metrics", "code", "values"),
    [
        ((TopK(3), TopK(3)), "metric-twice", {"name": "Top3Accuracy"}),
        ((Accuracy(),), "metric-twice", {"name": "Accuracy"}),
        ((CrossEntropy(),), "metric-twice", {"name": "CrossEntropyLoss"}),
        (TopK(3), "not-metrics", {}),
        ("TopK", "not-metrics", {}),
        ((TopK,), "not-metrics", {}),
        ((3,), "not-metrics", {"value": 3}),
        (None, "not-metrics", {"value": None}),
    ],
)
def test_metrics_that_are_none_are_refused(metrics, code, values):
    with refuses(code, **values):
        dataclasses.replace(ONE, metrics=metrics)


@pytest.mark.parametrize("loss", [SquaredLoss(), Weighted(SquaredLoss())])
@pytest.mark.parametrize("metric", [Perplexity(), CalibrationError(), MacroAverage(Perplexity())])
def test_a_metric_of_probabilities_is_refused_where_there_are_none(metric, loss):
    with refuses("metric-needs-probabilities", metric=metric.name, loss="SquaredLoss"):
        experiment(random_problem(loss=loss), metrics=(metric,))
    assert experiment(random_problem(loss=loss), metrics=(TopK(2),)).metrics


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: TopK(0), "not-an-integer"),
        (lambda: CalibrationError(2.5), "not-an-integer"),
        (lambda: MacroAverage(CalibrationError()), "metric-not-of-examples"),
        (lambda: MacroAverage(Accuracy), "metric-not-of-examples"),
    ],
)
def test_impossible_metrics_are_refused(make, code):
    with refuses(code):
        make()


def test_ranks_agree_with_accuracy_also_where_logits_are_equal_or_no_numbers():
    logits = jax.random.randint(jax.random.key(0), (200, 5), 0, 3).astype(jnp.float32)
    logits = logits.at[0, 0].set(jnp.nan)
    labels = jax.random.randint(jax.random.key(1), (200,), -1, 5)
    rank = rank_of_label(logits, labels)
    top = TopK(1).per_example(logits, labels)
    np.testing.assert_array_equal(top, Accuracy().per_example(logits, labels))
    assert sorted(set(rank.tolist())) == [0, 1, 2, 3, 4, 5]
    assert (rank[labels < 0] == 0).all()
    assert TopK(1).per_example(jnp.full((1, 3), jnp.nan), jnp.array([0])).tolist() == [0]


def test_a_perplexity_beyond_floats_is_infinite_without_a_warning():
    assert Perplexity().finish(np.array([1e4, 0.0])).tolist() == [np.inf, 1.0]
