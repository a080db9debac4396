"""Losses with weights of classes, or adjusted logits."""

from __future__ import annotations

import dataclasses
import math
import numbers
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import named
from optexp_jax.losses.base import Loss, LossSum, mean_of
from optexp_jax.losses.functions import cross_entropy
from optexp_jax.losses.means import CrossEntropy
from optexp_jax.per_class import class_indices
from optexp_jax.registry import register
from optexp_jax.targets import CLASSES, taken_by


@register("Weighted")
@dataclasses.dataclass(frozen=True)
class Weighted:
    """Weight a loss by class: Σ w_y l / Σ w_y with w_k = π_k^-power, π_k the class frequency.

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
                "Weighted needs a loss that averages over examples with one class each, such as "
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
    """Use the cross-entropy of adjusted logits z_k + tau · log π_k, π_k the class frequency.

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

        return mean_of(adjusted)


def _frequencies(class_counts: np.ndarray) -> np.ndarray:
    raw = np.asarray(class_counts)
    counts = raw.astype(np.float64) if raw.dtype.kind in "iuf" else np.array(np.nan)
    if counts.ndim != 1 or not (counts >= 0).all() or not 0 < counts.sum() < np.inf:
        raise OptexpError(
            "Class counts must be finite, at least 0 and not all 0: count the examples of each "
            "class.",
            code="class-counts-malformed",
        )
    return counts / counts.sum()


def _of(logits: jax.Array, num_classes: int) -> jax.Array:
    if logits.shape[-1] != num_classes:
        raise OptexpError(
            f"The loss was built for {num_classes} classes, but there are logits for "
            f"{logits.shape[-1]}: give build() one count for each class.",
            code="wrong-number-of-logits",
            num_classes=num_classes,
            found=logits.shape[-1],
        )
    return logits


def _finite(name: str, value: Any) -> float:
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not math.isfinite(value):
        raise OptexpError(
            f"The {name} must be a finite number, not {value!r}.",
            code="not-a-number",
            **named(name),
            value=value,
        )
    return float(value) + 0.0  # -0.0 is no other number
