"""Every loss, its gradient and its class means against the paper's code."""

import jax
import numpy as np
import pytest
from reference_files import arrays, assert_close_to_largest

from optexp_jax.losses import CrossEntropy, LogitAdjusted, SquaredLoss, Weighted, is_correct
from optexp_jax.per_class import sum_by_class

DATA = arrays("losses.npz")
LABELS, COUNTS = DATA["labels"], DATA["class_counts"]
NUM_CLASSES = len(COUNTS)

LOSSES = {
    "cross_entropy": CrossEntropy(),
    "weighted_cross_entropy": Weighted(CrossEntropy(), power=1),
    "sqrt_weighted_cross_entropy": Weighted(CrossEntropy(), power=0.5),
    "squared_loss_reference_scale": SquaredLoss(),
    "weighted_squared_loss_reference_scale": Weighted(SquaredLoss(), power=1),
    "logit_adjusted_cross_entropy": LogitAdjusted(),
}
# Ours is the (weighted) mean of ½ ‖z - e_y‖², theirs the (weighted) sum of ‖z - e_y‖² / C.
SCALES = {
    "squared_loss_reference_scale": 2 * len(LABELS) / NUM_CLASSES,
    "weighted_squared_loss_reference_scale": 2 * (1 / COUNTS[LABELS]).sum() / NUM_CLASSES,
}


def optimised(name):
    loss_sum = LOSSES[name].build(COUNTS)

    def loss(logits):
        total, weight = loss_sum(logits, LABELS)
        return total / weight * SCALES.get(name, 1.0)

    return loss


def class_means(values, seen):
    sums, counts = sum_by_class(values, LABELS, NUM_CLASSES)
    return np.asarray(sums)[seen] / np.asarray(counts)[seen]


NAMES = sorted(key.removesuffix("/grad") for key in DATA if key.endswith("/grad"))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", NAMES)
def test_value_and_gradient_equal_the_reference(name):
    value, gradient = jax.value_and_grad(optimised(name))(DATA["logits"])
    np.testing.assert_allclose(value, DATA[name], rtol=1e-9)
    assert_close_to_largest(gradient, DATA[f"{name}/grad"])


PER_CLASS = {
    **{f"{name}_per_class": (loss, 1.0) for name, loss in LOSSES.items()},
    "mse_per_class": (SquaredLoss(), 2 / NUM_CLASSES),
}


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("key", sorted(PER_CLASS.keys() & DATA.keys()))
def test_class_means_are_unweighted_and_equal_the_reference(key):
    loss, scale = PER_CLASS[key]
    seen = np.bincount(LABELS, minlength=NUM_CLASSES) > 0
    found = scale * class_means(loss.per_example(DATA["logits"], LABELS), seen)
    np.testing.assert_allclose(found, DATA[key][seen], rtol=1e-9)


@pytest.mark.usefixtures("x64")
def test_accuracies_equal_the_reference():
    seen = np.bincount(LABELS, minlength=NUM_CLASSES) > 0
    hits = np.asarray(is_correct(DATA["logits"], LABELS), float)
    np.testing.assert_allclose(hits.mean(), DATA["accuracy"], atol=1e-6)
    found = class_means(hits, seen)
    np.testing.assert_allclose(found, DATA["accuracy_per_class"][seen], atol=1e-6)


def test_every_array_of_the_file_is_compared():
    compared = {"logits", "labels", "class_counts", "accuracy", "accuracy_per_class"}
    compared |= {*NAMES, *(f"{name}/grad" for name in NAMES), *PER_CLASS}
    assert set(DATA) <= compared
