"""Losses as values. `build(class_counts)` gives a function (logits, labels) -> (sum, weight).

The sum and the weight are divided once, at the end, so micro-batches, padding (label -1) and
devices cannot bias the mean. What is *recorded* is always the unweighted `per_example` loss.
Labels are integers of any type.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import named
from optexp_jax.per_class import class_indices
from optexp_jax.registry import register
from optexp_jax.targets import (
    BY_CLASS,
    CLASSES,
    KINDS,
    SETS,
    are_vectors_like,
    class_of,
    is_example,
    taken_by,
    without_padding,
)

LossSum = Callable[[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]


@runtime_checkable
class Metric(Protocol):
    """What is recorded: a value of each example, whose means are taken overall and by class."""

    @property
    def name(self) -> str:
        """Name in the recorded metrics, such as `CrossEntropyLoss` or `Accuracy`."""
        ...

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """The value of each example, float or int32, shaped like the labels; 0 for padding."""
        ...


@runtime_checkable
class Loss(Metric, Protocol):
    """What training asks of a loss: a frozen dataclass named with `@optexp_jax.register`.

    As a metric it is recorded without weights, in nats.
    """

    @property
    def recorded_is_optimised(self) -> bool:
        """Whether the objective is the mean of `per_example`."""
        ...

    def build(self, class_counts: np.ndarray) -> LossSum:
        """The function that is optimised."""
        ...


def cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Cross-entropy of each example in nats: log Σ_k exp(z_k) - z_y; 0 where the label is negative.

    Args:
        logits: `[..., num_classes]`.
        labels: integers, `[...]`; or distributions q, floats `[..., num_classes]`, of which it is
            -Σ_k q_k log p_k.

    Returns:
        `[...]`, in float32 or better.

    >>> print(cross_entropy(jnp.zeros((1, 2)), jnp.array([0])))
    [0.6931472]
    """
    if are_vectors_like(logits, labels):
        logs = jax.nn.log_softmax(logits.astype(jnp.promote_types(logits.dtype, jnp.float32)))
        # A share of 0 of a class of probability 0 is nothing.
        shares = without_padding(labels)
        return -jnp.sum(shares * jnp.where(shares > 0, logs, 0), axis=-1)
    labels = class_indices(labels)
    logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
    chosen = jnp.take_along_axis(logits, jnp.maximum(labels, 0)[..., None], axis=-1)[..., 0]
    return jnp.where(labels >= 0, jax.nn.logsumexp(logits, axis=-1) - chosen, 0.0)


def squared_error(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Squared error to the one-hot label: ½ ‖z - e_y‖²; 0 where the label is negative.

    Args:
        logits: `[..., num_classes]`.
        labels: integers, `[...]`; or vectors v, floats `[..., num_classes]`, for ½ ‖z - v‖².

    Returns:
        `[...]`, in float32 or better.

    >>> print(squared_error(jnp.zeros((1, 3)), jnp.array([0])))
    [0.5]
    """
    if are_vectors_like(logits, labels):
        logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
        errors = 0.5 * jnp.sum((logits - without_padding(labels)) ** 2, axis=-1)
        return jnp.where(is_example(labels), errors, 0.0)
    labels = class_indices(labels)
    logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
    is_label = jnp.arange(logits.shape[-1]) == labels[..., None]
    residual = jnp.where(is_label, logits - 1, logits)
    return jnp.where(labels >= 0, 0.5 * jnp.sum(residual**2, axis=-1), 0.0)


def is_correct(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Whether the label is the first of the largest logits (argmax), False for padding or NaN.

    Args:
        logits: `[..., num_classes]`.
        labels: integers, `[...]`; or distributions, whose class has the largest share.

    Returns:
        booleans, `[...]`.

    >>> print(is_correct(jnp.array([[0.0, 0.0], [0.0, 0.0]]), jnp.array([0, 1])))
    [ True False]
    """
    vectors = are_vectors_like(logits, labels)
    labels = class_of(labels) if vectors else class_indices(labels)
    # One comparison per logit and a plain reduction: many times faster than argmax on CPU.
    chosen = jnp.take_along_axis(logits, jnp.maximum(labels, 0)[..., None], axis=-1)
    earlier = jnp.arange(logits.shape[-1]) < labels[..., None]
    beaten = jnp.where(earlier, logits < chosen, logits <= chosen)
    return jnp.all(beaten, axis=-1) & (labels >= 0)


@register("Accuracy")
@dataclasses.dataclass(frozen=True)
class Accuracy:
    """The share of examples whose label is the first of the largest logits: a `Metric`.

    >>> print(Accuracy().per_example(jnp.array([[0.0, 0.0], [0.0, 0.0]]), jnp.array([0, 1])))
    [1 0]
    """

    name = "Accuracy"
    takes = BY_CLASS

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """1 where the label is chosen, else 0; int32."""
        return is_correct(logits, labels).astype(jnp.int32)


def recorded_metrics(loss: Loss, targets: str = CLASSES) -> tuple[Metric, ...]:
    """What is recorded of every run: its unweighted loss, and its accuracy where there are classes.

    Args:
        loss: what is optimised.
        targets: what the labels are.
    """
    return (loss, Accuracy()) if targets in BY_CLASS else (loss,)


def _mean_of(per_example: Callable[[jax.Array, jax.Array], jax.Array]) -> LossSum:
    def loss(logits: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array]:
        labels = labels if are_vectors_like(logits, labels) else class_indices(labels)
        values = per_example(logits, labels)
        return jnp.sum(values), jnp.sum(is_example(labels)).astype(values.dtype)

    return loss


@register("CrossEntropy")
@dataclasses.dataclass(frozen=True)
class CrossEntropy:
    """Mean cross-entropy, in nats per example (per token for sequences).

    >>> labels = jnp.array([0, 1, -1])
    >>> loss, weight = CrossEntropy().build(np.array([1, 1]))(jnp.zeros((3, 2)), labels)
    >>> print(loss / weight)
    0.6931472
    """

    name = "CrossEntropyLoss"
    recorded_is_optimised = True
    takes = BY_CLASS

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """Cross-entropy of each example."""
        return cross_entropy(logits, labels)

    def build(self, class_counts: np.ndarray) -> LossSum:
        """(logits, labels) -> (sum of cross-entropies, number of examples)."""
        del class_counts
        return _mean_of(cross_entropy)


@register("SquaredLoss")
@dataclasses.dataclass(frozen=True)
class SquaredLoss:
    """Mean over examples of ½ ‖z - e_y‖², or of ½ ‖z - v‖² where labels are vectors.

    >>> labels = jnp.array([0, 1, 1])
    >>> loss, weight = SquaredLoss().build(np.array([1, 2]))(jnp.zeros((3, 2)), labels)
    >>> print(loss / weight)
    0.5
    """

    name = "SquaredLoss"
    recorded_is_optimised = True
    takes = KINDS

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """Squared error of each example."""
        return squared_error(logits, labels)

    def build(self, class_counts: np.ndarray) -> LossSum:
        """(logits, labels) -> (sum of squared errors, number of examples)."""
        del class_counts
        return _mean_of(squared_error)


@register("BinaryCrossEntropy")
@dataclasses.dataclass(frozen=True)
class BinaryCrossEntropy:
    """Sum over classes of the cross-entropy of "is of this class", for examples of several classes.

    Labels are 0 or 1 for each class: a data set with `targets = "sets"`.

    >>> labels = jnp.array([[1.0, 0.0], [1.0, 1.0]])
    >>> loss, weight = BinaryCrossEntropy().build(np.array([2, 1]))(jnp.zeros((2, 2)), labels)
    >>> print(loss / weight)
    1.3862944
    """

    name = "BinaryCrossEntropyLoss"
    recorded_is_optimised = True
    takes = (SETS,)

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """The sum over classes for each example, in nats."""
        logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
        losses = jax.nn.softplus(logits) - without_padding(labels) * logits
        return jnp.where(is_example(labels), jnp.sum(losses, axis=-1), 0.0)

    def build(self, class_counts: np.ndarray) -> LossSum:
        """(logits, labels) -> (sum of cross-entropies, number of examples)."""
        del class_counts
        return _mean_of(self.per_example)


@register("Weighted")
@dataclasses.dataclass(frozen=True)
class Weighted:
    """A loss reweighted by class: Σ w_y l / Σ w_y with w_k = π_k^-power, π_k the class frequency.

    A class without training examples has weight 0. Per-class and recorded losses stay unweighted.

    Args:
        loss: any loss that is a mean over examples of one class each.
        power: 1 for 1/π, 0.5 for 1/√π, 2 for 1/π².

    >>> logits, labels = jnp.array([[0.0, 0.0], [1.0, 0.0]]), jnp.array([0, 1])
    >>> loss, weight = Weighted(CrossEntropy(), power=1).build(np.array([3, 1]))(logits, labels)
    >>> print(f"{weight:.3f} {loss / weight:.3f}")
    5.333 1.158

    Source: the paper, section 4 and figure 25.
    """

    loss: Loss = dataclasses.field(default_factory=CrossEntropy)
    power: float = 1.0

    recorded_is_optimised = False

    def __post_init__(self) -> None:
        loss: Any = self.loss  # a weighted or adjusted one would lose what it optimises
        mean = isinstance(loss, Loss) and not isinstance(loss, type) and loss.recorded_is_optimised
        if not mean or CLASSES not in taken_by(loss):
            raise OptexpError(
                f"Weighted takes a loss that is a mean over examples of one class each, such as "
                f"CrossEntropy(), not {self.loss!r}.",
                code="loss-not-weighable",
                value=self.loss,
            )
        object.__setattr__(self, "power", _finite("power of Weighted", self.power))

    @property
    def name(self) -> str:
        """Name of the unweighted loss."""
        return self.loss.name

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """The unweighted loss of each example."""
        return self.loss.per_example(logits, labels)

    def build(self, class_counts: np.ndarray) -> LossSum:
        """(logits, labels) -> (weighted sum of losses, sum of weights)."""
        frequency = _frequencies(class_counts)
        present = frequency > 0
        weights = np.where(present, np.where(present, frequency, 1.0) ** -self.power, 0.0)

        def loss(logits: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array]:
            labels = class_indices(labels)
            values = self.loss.per_example(_of(logits, len(weights)), labels)
            weight = jnp.asarray(weights, values.dtype)[jnp.maximum(labels, 0)]
            weight = jnp.where(labels >= 0, weight, 0)
            return jnp.sum(weight * values), jnp.sum(weight)

        return loss


@register("LogitAdjusted")
@dataclasses.dataclass(frozen=True)
class LogitAdjusted:
    """Cross-entropy of adjusted logits z_k + tau · log π_k, π_k the class frequency.

    A class without training examples is left out of the sum over classes.

    Args:
        tau: strength of the adjustment.

    >>> loss, weight = LogitAdjusted().build(np.array([3, 1]))(jnp.zeros((1, 2)), jnp.array([1]))
    >>> print(f"{loss / weight:.3f}")
    1.386

    Source: Menon et al. 2021, as the authors' code runs it.
    """

    tau: float = 1.0

    name = "CrossEntropyLoss"
    recorded_is_optimised = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "tau", _finite("tau of LogitAdjusted", self.tau))

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """The cross-entropy of the logits as they are."""
        return cross_entropy(logits, labels)

    def build(self, class_counts: np.ndarray) -> LossSum:
        """(logits, labels) -> (sum of adjusted cross-entropies, number of examples)."""
        frequency = _frequencies(class_counts)
        present = frequency > 0
        shift = np.where(present, self.tau * np.log(np.where(present, frequency, 1.0)), -np.inf)

        def adjusted(logits: jax.Array, labels: jax.Array) -> jax.Array:
            logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
            logits = _of(logits, len(shift))
            return cross_entropy(logits + jnp.asarray(shift, logits.dtype), labels)

        return _mean_of(adjusted)


def _frequencies(class_counts: np.ndarray) -> np.ndarray:
    raw = np.asarray(class_counts)
    counts = raw.astype(np.float64) if raw.dtype.kind in "iuf" else np.array(np.nan)
    if counts.ndim != 1 or not (counts >= 0).all() or not 0 < counts.sum() < np.inf:
        raise OptexpError(
            "Class counts are a list of finite numbers from 0, one per class and not all 0: count "
            "the examples of each class.",
            code="class-counts-malformed",
        )
    return counts / counts.sum()


def _of(logits: jax.Array, num_classes: int) -> jax.Array:
    if logits.shape[-1] != num_classes:
        raise OptexpError(
            f"The loss was built for {num_classes} classes and the logits are of "
            f"{logits.shape[-1]}: give build() one count for each of them.",
            code="wrong-number-of-logits",
            num_classes=num_classes,
            found=logits.shape[-1],
        )
    return logits


def _finite(name: str, value: Any) -> float:
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not math.isfinite(value):
        raise OptexpError(
            f"The {name} is a finite number, not {value!r}.",
            code="not-a-number",
            **named(name),
            value=value,
        )
    return float(value) + 0.0  # -0.0 is no other number
