"""Losses that are means over examples, and the accuracy."""

from __future__ import annotations

import dataclasses
import numbers
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.errors import OptexpError
from optexp_jax.losses.base import Loss, LossSum, MeanLoss, Metric, mean_of
from optexp_jax.losses.functions import (
    cross_entropy,
    is_correct,
    smoothed_cross_entropy,
    squared_error,
)
from optexp_jax.registry import neutral, register
from optexp_jax.targets import BY_CLASS, CLASSES, KINDS, SETS, is_example, without_padding


@register("CrossEntropy")
@dataclasses.dataclass(frozen=True, repr=False)
class CrossEntropy(MeanLoss):
    """Mean cross-entropy, in nats per example (per token for sequences).

    Args:
        label_smoothing: share of each label that is spread evenly over all classes, from 0 and
            below 1. What is optimised is smoothed, what is recorded is not.

    Raises:
        OptexpError: another share.

    >>> import numpy as np
    >>> labels = jnp.array([0, 1, -1])
    >>> loss, weight = CrossEntropy().build(np.array([1, 1]))(jnp.zeros((3, 2)), labels)
    >>> print(loss / weight)
    0.6931472
    >>> sure, smooth = jnp.array([[0.0, 9.0]]), CrossEntropy(label_smoothing=0.1)
    >>> loss, weight = smooth.build(np.array([1, 1]))(sure, jnp.array([1]))
    >>> print(f"{loss / weight:.3f} {smooth.per_example(sure, jnp.array([1]))[0]:.4f}")
    0.450 0.0001
    """

    label_smoothing: float = dataclasses.field(default=0.0, kw_only=True, metadata=neutral(0.0))

    name = "CrossEntropyLoss"
    takes = BY_CLASS

    def __post_init__(self) -> None:
        share: Any = self.label_smoothing
        real = isinstance(share, numbers.Real) and not isinstance(share, bool)
        if not real or not 0 <= float(share) < 1:
            raise OptexpError(
                f"label_smoothing of CrossEntropy must be at least 0 and below 1, not {share!r}.",
                code="not-a-share",
                field="label_smoothing",
                value=share,
            )
        object.__setattr__(self, "label_smoothing", float(share) + 0.0)  # -0.0 is no other number

    def __repr__(self) -> str:
        smoothing = f"label_smoothing={self.label_smoothing}" if self.label_smoothing else ""
        return f"CrossEntropy({smoothing})"

    @property
    def recorded_is_optimised(self) -> bool:
        """Whether labels are taken as they are."""
        return self.label_smoothing == 0

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """Cross-entropy of each example, whose label is not smoothed."""
        return cross_entropy(logits, labels)

    def build(self, class_counts: np.ndarray) -> LossSum:
        """(logits, labels) -> (sum of the losses of examples, number of examples)."""
        if self.recorded_is_optimised:
            return super().build(class_counts)
        share = self.label_smoothing
        return mean_of(lambda logits, labels: smoothed_cross_entropy(logits, labels, share))


@register("SquaredLoss")
@dataclasses.dataclass(frozen=True)
class SquaredLoss(MeanLoss):
    """Mean over examples of ½ ‖z - e_y‖², or of ½ ‖z - v‖² where labels are vectors.

    >>> import numpy as np
    >>> labels = jnp.array([0, 1, 1])
    >>> loss, weight = SquaredLoss().build(np.array([1, 2]))(jnp.zeros((3, 2)), labels)
    >>> print(loss / weight)
    0.5
    """

    name = "SquaredLoss"
    takes = KINDS

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """Squared error of each example."""
        return squared_error(logits, labels)


@register("BinaryCrossEntropy")
@dataclasses.dataclass(frozen=True)
class BinaryCrossEntropy(MeanLoss):
    """Sum over classes of the cross-entropy of "is of this class", for examples of several classes.

    Labels are 0 or 1 for each class: a data set with `targets = "sets"`.

    >>> import numpy as np
    >>> labels = jnp.array([[1.0, 0.0], [1.0, 1.0]])
    >>> loss, weight = BinaryCrossEntropy().build(np.array([2, 1]))(jnp.zeros((2, 2)), labels)
    >>> print(loss / weight)
    1.3862944
    """

    name = "BinaryCrossEntropyLoss"
    takes = (SETS,)

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """The sum over classes for each example, in nats."""
        logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
        losses = jax.nn.softplus(logits) - without_padding(labels) * logits
        return jnp.where(is_example(labels), jnp.sum(losses, axis=-1), 0.0)


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
    """The metrics of every run: its unweighted loss, and its accuracy if there are classes.

    Args:
        loss: what is optimised.
        targets: what the labels are.
    """
    return (loss, Accuracy()) if targets in BY_CLASS else (loss,)
