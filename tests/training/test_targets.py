"""Labels that are vectors: distributions, sets of classes, and numbers of a regression."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from training_rows import alone, assert_close

from optexp_jax import Experiment, LearningRate, MiniBatch, Problem
from optexp_jax.datasets import ArrayDataset, RandomHeavyTailedLabels, counts_of
from optexp_jax.datasets.base import shapes_of
from optexp_jax.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    LogitAdjusted,
    SquaredLoss,
    Weighted,
    cross_entropy,
)
from optexp_jax.metrics import CalibrationError, MacroAverage, Perplexity, TopK
from optexp_jax.models import Linear, Zeros
from optexp_jax.optim import SGD

pytestmark = pytest.mark.usefixtures("quickly_compiled")

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(12, 3)).astype(np.float32)
VECTORS = RNG.normal(size=(12, 2))
CLASSES = RNG.integers(0, 2, 12)
LABELS = {
    "vectors": VECTORS,
    "distributions": np.abs(VECTORS) / np.abs(VECTORS).sum(1, keepdims=True),
    "sets": VECTORS > 0,
}
LOSSES = {
    "vectors": SquaredLoss(),
    "distributions": CrossEntropy(),
    "sets": BinaryCrossEntropy(),
}


def dataset(targets, labels=None):
    labels = LABELS[targets] if labels is None else labels
    return ArrayDataset("mine", INPUTS, labels, (INPUTS[:5], labels[:5]), targets=targets)


def experiment(data, loss, **fields):
    batching = fields.pop("batching", None)
    problem = Problem(Linear(3, 2, init_values=Zeros()), data, loss)
    problem = dataclasses.replace(problem, batching=batching or problem.batching)
    return Experiment(problem, SGD(LearningRate(-1)), "targets", steps=6, **fields)


@pytest.mark.slow
@pytest.mark.parametrize("targets", LABELS)
def test_every_kind_is_trained_and_cut_as_one_likes(targets):
    one = experiment(dataset(targets), LOSSES[targets])
    rows = alone(one)
    name = LOSSES[targets].name
    assert rows.table[f"tr_{name}"][-1] < rows.table[f"tr_{name}"][0]
    assert ("tr_Accuracy" in rows.table) == (targets == "distributions")
    assert_close(alone(one, micro_batch=5), rows, rtol=1e-4, atol=1e-6)
    batches = alone(
        dataclasses.replace(one, problem=dataclasses.replace(one.problem, batching=MiniBatch(5)))
    )
    assert np.isfinite(batches.table[f"va_{name}"]).all()


def test_a_regression_follows_numpy():
    one = experiment(dataset("vectors"), SquaredLoss())
    weights, bias = np.zeros((3, 2)), np.zeros(2)
    losses = []
    for _ in range(7):
        error = INPUTS @ weights + bias - VECTORS
        losses.append(0.5 * (error**2).sum(1).mean())
        weights, bias = weights - 0.1 * INPUTS.T @ error / 12, bias - 0.1 * error.mean(0)
    np.testing.assert_allclose(alone(one).table["tr_SquaredLoss"], losses, rtol=1e-5)


@pytest.mark.slow
def test_one_hot_labels_are_classes_in_every_number():
    metrics = (CalibrationError(), MacroAverage(), Perplexity(), TopK(1))
    of_classes = ArrayDataset("mine", INPUTS, CLASSES)
    shares = ArrayDataset("mine", INPUTS, np.eye(2)[CLASSES], targets="distributions")
    for loss, some in ((CrossEntropy(), metrics), (SquaredLoss(), (TopK(1),))):
        fields = {"per_class": True, "metrics": some}
        rows = alone(experiment(shares, loss, **fields))
        expected = alone(experiment(of_classes, loss, **fields))
        assert_close(rows, expected, rtol=1e-5, atol=1e-6)
        for name, array in expected.per_class.items():
            np.testing.assert_allclose(rows.per_class[name], array, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_padding_of_vectors_has_no_value_and_no_gradient():
    logits = jnp.array([[1.0, 0.0], [2.0, 3.0]])
    for loss in LOSSES.values():

        def total(z, loss=loss):
            labels = jnp.array([[1.0, 0.0], [jnp.nan, jnp.nan]])
            value, weight = loss.build(np.array([1, 1]))(z, labels)
            return value / weight

        np.testing.assert_array_equal(jax.grad(total)(logits)[1], [0, 0])
        alone_ = loss.build(np.array([1, 1]))(logits[:1], jnp.array([[1.0, 0.0]]))[0]
        np.testing.assert_allclose(total(logits), alone_)


def test_a_share_of_nothing_costs_nothing():
    assert cross_entropy(jnp.array([[0.0, -jnp.inf]]), jnp.array([[1.0, 0.0]])).tolist() == [0.0]


def test_classes_are_counted_by_the_largest_share_and_sets_by_member():
    shares = np.array([[0.5, 0.5, 0.0], [0.0, 0.2, 0.8]])
    assert counts_of(shares, 3, "distributions").tolist() == [1, 0, 1]
    assert counts_of(shares > 0, 3, "sets").tolist() == [1, 2, 1]
    assert counts_of(shares, 3, "vectors").tolist() == [2, 2, 2]
    assert dataset("sets").load("nowhere").class_counts.tolist() == (VECTORS > 0).sum(0).tolist()
    assert dataset("vectors").facts.train == 12
    assert shapes_of(dataset("vectors")).train.labels.shape == (12, 2)


@pytest.mark.parametrize(
    "loss", [CrossEntropy(), Weighted(), LogitAdjusted(), BinaryCrossEntropy()]
)
def test_a_loss_that_cannot_read_the_labels_is_refused(loss):
    with refuses("loss-of-other-labels", targets="vectors", dataset="ArrayDataset"):
        experiment(dataset("vectors"), loss)


def test_classes_are_refused_where_there_are_none():
    with refuses("no-classes", targets="vectors"):
        experiment(dataset("vectors"), SquaredLoss(), per_class=True)
    with refuses("metric-of-other-labels", metric="Top2Accuracy", targets="sets"):
        experiment(dataset("sets"), BinaryCrossEntropy(), metrics=(TopK(2),))
    with refuses("loss-of-other-labels", targets="classes"):
        Problem(Linear(400, 7), RandomHeavyTailedLabels(3, seed=0), BinaryCrossEntropy())


@pytest.mark.parametrize(
    ("targets", "labels", "code"),
    [
        ("vectors", VECTORS[:, 0], "labels-not-vectors"),
        ("vectors", VECTORS.astype(str), "labels-not-vectors"),
        ("vectors", VECTORS * np.nan, "labels-not-finite"),
        ("distributions", VECTORS, "labels-malformed"),
        ("distributions", np.ones((12, 2)), "labels-malformed"),
        ("sets", VECTORS, "labels-malformed"),
        ("classes", VECTORS, "labels-not-integers"),
        ("nothing", VECTORS, "not-a-choice"),
    ],
)
def test_labels_that_are_not_what_they_should_be_are_refused(targets, labels, code):
    with refuses(code):
        dataset(targets, labels)
