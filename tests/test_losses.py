"""Losses: closed forms, padding, absent classes and sums that add up."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from hypothesis import given
from hypothesis import strategies as st

import optexp_jax
from optexp_jax import identity
from optexp_jax.losses import (
    Accuracy,
    BinaryCrossEntropy,
    CrossEntropy,
    LogitAdjusted,
    MeanLoss,
    SquaredLoss,
    Weighted,
    cross_entropy,
    is_correct,
    recorded_metrics,
    squared_error,
)

COUNTS = np.array([4, 2, 0, 2])
LOSSES = {
    "cross_entropy": CrossEntropy(),
    "squared": SquaredLoss(),
    "weighted": Weighted(CrossEntropy(), power=1),
    "root_weighted": Weighted(CrossEntropy(), power=0.5),
    "square_weighted": Weighted(CrossEntropy(), power=2),
    "weighted_squared": Weighted(SquaredLoss(), power=1),
    "adjusted": LogitAdjusted(),
    "smoothed": CrossEntropy(label_smoothing=0.1),
}
every_loss = pytest.mark.parametrize("name", LOSSES)

LOGITS = jnp.asarray(np.random.default_rng(0).normal(size=(8, 4)), jnp.float32)
LABELS = jnp.array([0, 0, 1, 3, 0, 1, 3, 0])


@functools.cache
def sums(name):
    return jax.jit(LOSSES[name].build(COUNTS))


@functools.cache
def sums_and_gradient(name):
    """(logits, labels) -> (sum, weight), gradient of the sum."""
    loss = LOSSES[name].build(COUNTS)

    def evaluate(logits, labels):
        gradient = jax.grad(lambda z: loss(z, labels)[0])(logits)
        return loss(logits, labels), gradient

    return jax.jit(evaluate)


@pytest.mark.parametrize("num_classes", [2, 10, 1000])
def test_cross_entropy_of_zero_logits_is_ln_c(num_classes):
    losses = CrossEntropy().per_example(jnp.zeros((3, num_classes)), jnp.arange(3) % 2)
    np.testing.assert_allclose(losses, np.log(num_classes), rtol=1e-6)


def test_cross_entropy_of_large_logits_is_finite():
    losses = CrossEntropy().per_example(jnp.array([[1e4, 0.0], [1e4, 0.0]]), jnp.array([0, 1]))
    np.testing.assert_array_equal(losses, [0.0, 1e4])


def test_squared_loss_is_half_the_squared_distance_to_the_one_hot_label():
    losses = SquaredLoss().per_example(jnp.array([[1.0, 0.0], [3.0, 4.0]]), jnp.array([0, 1]))
    np.testing.assert_allclose(losses, [0.0, 9.0])


def test_losses_of_vectors_are_those_of_the_formulas_in_float32():
    """None of these values is one of bfloat16."""
    logits, labels = (jnp.full((1, 301), value, jnp.bfloat16) for value in (0, 1))
    shares = jnp.full((1, 301), 1 / 301)
    for found, expected in (
        (cross_entropy(logits, shares), np.log(301)),
        (squared_error(logits, labels), 150.5),
        (BinaryCrossEntropy().per_example(logits, labels), 301 * np.log(2)),
    ):
        assert found.dtype == jnp.float32
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_label_is_correct_if_it_is_the_first_of_the_largest_logits():
    logits = jnp.array([1.0, 2.0, 2.0])
    for label, expected in ((0, False), (1, True), (2, False), (-1, False)):
        assert is_correct(logits, jnp.array(label)) == expected
    assert is_correct(logits, jnp.array([0.2, 0.5, 0.3]))
    assert not is_correct(logits, jnp.array([0.2, 0.3, 0.5]))
    assert not is_correct(logits.at[0].set(jnp.nan), jnp.array(1))
    np.testing.assert_array_equal(is_correct(MANY, MANY.argmax(-1)), True)


def test_weights_are_powers_of_the_inverse_frequency():
    for power in (0.5, 1, 2):
        total, weight = Weighted(power=power).build(COUNTS)(LOGITS[:2], jnp.array([0, 1]))
        weights = np.array([2.0, 4.0]) ** power
        losses = CrossEntropy().per_example(LOGITS[:2], jnp.array([0, 1]))
        np.testing.assert_allclose(weight, weights.sum(), rtol=1e-6)
        np.testing.assert_allclose(total, weights @ losses, rtol=1e-6)


def test_adjusted_loss_of_zero_logits_is_minus_the_log_frequency():
    total, weight = LogitAdjusted().build(COUNTS)(jnp.zeros((2, 4)), jnp.array([0, 1]))
    np.testing.assert_allclose((total, weight), (np.log(2) + np.log(4), 2), rtol=1e-6)


def test_adjustment_has_the_strength_tau():
    total, _ = LogitAdjusted(tau=2).build(np.array([3, 1]))(jnp.zeros((1, 2)), jnp.array([1]))
    np.testing.assert_allclose(total, np.log(10), rtol=1e-6)
    plain, _ = LogitAdjusted(tau=0).build(np.array([3, 1]))(LOGITS[:1, :2], jnp.array([1]))
    expected = CrossEntropy().per_example(LOGITS[:1, :2], jnp.array([1]))
    np.testing.assert_allclose(plain, expected.sum(), rtol=1e-6)


def test_a_smoothed_label_is_a_mixture_with_the_uniform_distribution():
    total, weight = CrossEntropy(label_smoothing=0.2).build(COUNTS)(LOGITS, LABELS)
    mixtures = 0.8 * jax.nn.one_hot(LABELS, 4) + 0.2 / 4
    np.testing.assert_allclose(total, cross_entropy(LOGITS, mixtures).sum(), rtol=1e-6)
    assert weight == len(LABELS)


def test_a_smoothed_loss_is_recorded_without_smoothing():
    smoothed = CrossEntropy(label_smoothing=0.2)
    plain = CrossEntropy().per_example(LOGITS, LABELS)
    np.testing.assert_array_equal(smoothed.per_example(LOGITS, LABELS), plain)
    assert not smoothed.recorded_is_optimised
    assert CrossEntropy().recorded_is_optimised


def test_no_smoothing_is_the_loss_and_the_identity_of_before():
    assert identity.encode(CrossEntropy(label_smoothing=0)) == {"type": "CrossEntropy"}
    smoothed = CrossEntropy(label_smoothing=0.1)
    assert identity.decode(identity.encode(smoothed)) == smoothed != CrossEntropy()
    assert str((CrossEntropy(), smoothed)) == "(CrossEntropy(), CrossEntropy(label_smoothing=0.1))"


@pytest.mark.parametrize("share", [1.0, -0.1, float("nan"), "0.1", True])
def test_a_share_of_smoothing_is_below_one(share):
    with refuses("not-a-share", field="label_smoothing", value=share):
        CrossEntropy(label_smoothing=share)


def test_a_share_of_smoothing_is_given_by_name():
    with pytest.raises(TypeError, match="positional"):
        CrossEntropy(0.1)


@every_loss
def test_padding_contributes_nothing(name):
    padded = jnp.concatenate([LOGITS, jnp.full((3, 4), 7.0)])
    labels = jnp.concatenate([LABELS, jnp.full(3, -1)])
    found, gradient = sums_and_gradient(name)(padded, labels)
    expected, expected_gradient = sums_and_gradient(name)(LOGITS, LABELS)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(gradient[:-3], expected_gradient, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(gradient[-3:], 0.0)
    np.testing.assert_array_equal(LOSSES[name].per_example(padded, labels)[-3:], 0.0)


@every_loss
def test_a_batch_of_padding_has_no_sum_no_weight_and_a_finite_gradient(name):
    sums_of_none, gradient = sums_and_gradient(name)(LOGITS, jnp.full(8, -1))
    assert np.array_equal(sums_of_none, (0.0, 0.0))
    np.testing.assert_array_equal(gradient, 0.0)


@every_loss
def test_gradients_are_finite_although_a_class_is_absent(name):
    found, gradient = sums_and_gradient(name)(LOGITS, LABELS)
    assert np.isfinite(found).all()
    assert np.isfinite(gradient).all()
    assert gradient.any()


def test_an_absent_class_has_weight_0():
    loss = Weighted(CrossEntropy(), power=1).build(COUNTS)
    assert np.array_equal(loss(LOGITS[:1], jnp.array([2])), (0.0, 0.0))


def test_an_absent_class_is_left_out_of_the_adjusted_sum():
    _, gradient = sums_and_gradient("adjusted")(LOGITS, LABELS)
    np.testing.assert_array_equal(gradient[:, 2], 0.0)


@every_loss
@given(split=st.integers(0, 4))
def test_sums_of_micro_batches_add_up(name, split):
    loss, logits, labels = sums(name), LOGITS[2:6], LABELS[2:6]
    parts = [loss(logits[:split], labels[:split]), loss(logits[split:], labels[split:])]
    np.testing.assert_allclose(np.sum(parts, axis=0), loss(logits, labels), rtol=1e-6)


@every_loss
def test_bfloat16_logits_are_summed_in_float32(name):
    logits = jnp.tile(LOGITS[:1], (1000, 1)).astype(jnp.bfloat16)
    labels = jnp.zeros(1000, jnp.int32)
    total, weight = sums(name)(logits, labels)
    one, weight_of_one = sums(name)(logits[:1].astype(jnp.float32), labels[:1])
    assert total.dtype == weight.dtype == jnp.float32
    np.testing.assert_allclose((total, weight), (1000 * one, 1000 * weight_of_one), rtol=1e-5)


@every_loss
@pytest.mark.usefixtures("x64")
def test_float32_stays_where_64_bits_are_enabled(name):
    loss = LOSSES[name]
    assert loss.per_example(LOGITS, LABELS).dtype == jnp.float32
    total, weight = loss.build(COUNTS)(LOGITS, LABELS)
    assert total.dtype == weight.dtype == jnp.float32


@every_loss
def test_sequences_are_flat_batches(name):
    loss = LOSSES[name]
    logits, labels = LOGITS.reshape(4, 2, 4), LABELS.reshape(4, 2)
    assert loss.per_example(logits, labels).shape == (4, 2)
    np.testing.assert_allclose(sums(name)(logits, labels), sums(name)(LOGITS, LABELS), rtol=1e-6)


@every_loss
def test_the_unweighted_loss_is_what_is_recorded(name):
    loss = LOSSES[name]
    squared = "squared" in name
    plain = SquaredLoss() if squared else CrossEntropy()
    assert loss.name == ("SquaredLoss" if squared else "CrossEntropyLoss")
    assert loss.recorded_is_optimised == (loss == plain)
    np.testing.assert_array_equal(
        loss.per_example(LOGITS, LABELS), plain.per_example(LOGITS, LABELS)
    )


@every_loss
def test_jit_equals_eager(name):
    eager = LOSSES[name].build(COUNTS)(LOGITS, LABELS)
    np.testing.assert_allclose(sums(name)(LOGITS, LABELS), eager, rtol=1e-6)


def test_the_accuracy_is_recorded_where_an_example_has_one_class():
    for targets in ("classes", "distributions"):
        assert recorded_metrics(CrossEntropy(), targets) == (CrossEntropy(), Accuracy())
    for targets in ("sets", "vectors"):
        assert recorded_metrics(SquaredLoss(), targets) == (SquaredLoss(),)


def test_losses_are_values():
    assert len({Weighted(power=1), Weighted(CrossEntropy(), 1.0), Weighted(power=np.int64(1))}) == 1
    assert LogitAdjusted(1) == LogitAdjusted()
    assert type(Weighted(power=1).power) is type(LogitAdjusted(1).tau) is float
    assert Weighted(power=0.5) != Weighted(power=1)


def test_weighted_takes_only_what_is_a_mean_over_examples():
    with refuses("loss-not-weighable", value=LogitAdjusted()):
        Weighted(LogitAdjusted())
    for other in (Weighted(), BinaryCrossEntropy(), CrossEntropy, None, 1.0):
        with refuses("loss-not-weighable", value=other):
            Weighted(other)


@optexp_jax.register("test-losses-absolute")
@dataclasses.dataclass(frozen=True)
class Absolute:
    """A user's loss."""

    scale: float = 2.0

    name = "AbsoluteLoss"
    recorded_is_optimised = True

    def per_example(self, logits, labels):
        error = jnp.abs(logits - jax.nn.one_hot(labels, logits.shape[-1])).sum(-1)
        return jnp.where(labels >= 0, self.scale * error, 0.0)

    def build(self, class_counts):
        return lambda z, y: (self.per_example(z, y).sum(), (y >= 0).sum().astype(z.dtype))


def test_any_loss_is_weighted():
    loss = Weighted(Absolute(), power=1)
    logits, labels = jnp.array([[1.0, 0.0], [0.0, 3.0]]), jnp.array([1, 0])
    total, weight = loss.build(np.array([3, 1]))(logits, labels)
    np.testing.assert_allclose([total, weight], [4 * 4 + 4 / 3 * 8, 4 + 4 / 3], rtol=1e-6)
    assert loss.name == "AbsoluteLoss"
    assert identity.decode(identity.encode(loss)) == loss
    assert Weighted(Absolute(2)) == Weighted(Absolute(2.0))


# ------------------------------------------------------------------- types of labels and counts

MANY = jnp.asarray(np.random.default_rng(1).normal(size=(6, 300)), jnp.float32)
PER_EXAMPLE = (cross_entropy, squared_error, is_correct)
LABEL_TYPES = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]


@pytest.mark.parametrize("dtype", LABEL_TYPES)
@pytest.mark.parametrize("of", PER_EXAMPLE)
def test_labels_of_any_integer_type_mean_the_same(of, dtype):
    labels = np.array([0, 44, 100, 127, 120, 3])
    expected = of(MANY, jnp.asarray(labels, jnp.int32))
    np.testing.assert_array_equal(of(MANY, labels.astype(dtype)), expected)


@every_loss
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_sums_do_not_depend_on_the_type_of_the_labels(name, dtype):
    counts = np.arange(1, 301)
    labels = np.array([0, 44, 100, 127, 120, -1 if dtype != "uint8" else 3])
    loss = jax.jit(LOSSES[name].build(counts))
    expected = loss(MANY, jnp.asarray(labels, jnp.int32))
    np.testing.assert_allclose(loss(MANY, labels.astype(dtype)), expected, rtol=1e-6)


def test_a_loss_of_ones_own_is_given_labels_that_may_be_negative():
    class Signed(MeanLoss):
        name = "Signed"

        def per_example(self, logits, labels):
            return (labels - 2).astype(jnp.float32)

    labels = np.array([0, 1, 3], "uint8")
    assert Signed().build(COUNTS)(LOGITS[:3], labels) == (-2 - 1 + 1, 3)


def test_labels_beyond_32_bits_are_of_no_class():
    labels = np.array([2**32 + 1, 2**63 - 1, -(2**32) + 1, 1])
    assert np.isnan(cross_entropy(MANY[:4], labels)).tolist() == [True, True, False, False]
    assert cross_entropy(MANY[:4], labels)[2] == 0
    assert not is_correct(MANY[:4], labels)[:3].any()
    np.testing.assert_allclose(squared_error(MANY[:1], labels[:1]), [0.5 * (MANY[0] ** 2).sum()])


@pytest.mark.parametrize("of", PER_EXAMPLE)
def test_labels_that_are_no_integers_are_refused(of):
    for labels in (jnp.ones(8), jnp.ones(8, bool)):
        with pytest.raises(TypeError, match=str(labels.dtype)):
            of(LOGITS, labels)


WITH_COUNTS = (Weighted(), Weighted(SquaredLoss(), 2.0), LogitAdjusted())


@pytest.mark.parametrize("loss", WITH_COUNTS)
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint64", "float32", "list"])
def test_counts_may_be_of_any_type(loss, dtype):
    counts = [100, 100, 0, 100]  # their sum is more than uint8 holds
    given = counts if dtype == "list" else np.array(counts, dtype)
    found, expected = (loss.build(c)(LOGITS, LABELS) for c in (given, np.array(counts)))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("loss", WITH_COUNTS)
@pytest.mark.parametrize(
    "counts",
    [
        *([0, 0], [1, -1], [1.0, float("nan")], [1.0, float("inf")], [], [[1, 2]], 3),
        *([True, False], ["1", "2"], None),
    ],
)
def test_counts_that_are_none_are_refused(loss, counts):
    with refuses("class-counts-malformed"):
        loss.build(counts)


@pytest.mark.parametrize("loss", WITH_COUNTS)
def test_counts_are_of_the_classes_of_the_logits(loss):
    with refuses("wrong-number-of-logits", num_classes=3, found=4):
        loss.build(np.ones(3))(LOGITS, LABELS)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", True, None, 1j, np.bool_(1)])
def test_strengths_are_finite_numbers(value):
    with refuses("not-a-number", field="power", kind="Weighted", value=value):
        Weighted(power=value)
    with refuses("not-a-number", field="tau", kind="LogitAdjusted", value=value):
        LogitAdjusted(value)
