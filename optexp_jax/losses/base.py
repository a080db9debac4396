"""The interfaces of metrics and losses, and the mean over examples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.per_class import class_indices
from optexp_jax.targets import are_vectors_like, is_example

LossSum = Callable[[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]


@runtime_checkable
class Metric(Protocol):
    """A metric with a value for each example; runs record its means, overall and by class."""

    @property
    def name(self) -> str:
        """Name in the recorded metrics, such as `CrossEntropyLoss` or `Accuracy`."""
        ...

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """The value of each example, float or int32, shaped like the labels; 0 for padding."""
        ...


@runtime_checkable
class Loss(Metric, Protocol):
    """The interface of a loss: a frozen dataclass registered with `@optexp_jax.register`.

    Runs record it without weights, in nats.
    """

    @property
    def recorded_is_optimised(self) -> bool:
        """Whether the objective is the mean of `per_example`."""
        ...

    def build(self, class_counts: np.ndarray) -> LossSum:
        """Build the function to optimise."""
        ...


def mean_of(per_example: Callable[[jax.Array, jax.Array], jax.Array]) -> LossSum:
    """(logits, labels) -> (sum of the values of examples, number of examples)."""

    def loss(logits: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array]:
        labels = labels if are_vectors_like(logits, labels) else class_indices(labels)
        values = per_example(logits, labels)
        return jnp.sum(values), jnp.sum(is_example(labels)).astype(values.dtype)

    return loss


class MeanLoss(ABC):
    """Base class of losses that average `per_example` over examples.

    A subclass has a `name` and `per_example`.

    >>> import dataclasses
    >>> from optexp_jax.losses import is_correct
    >>> @dataclasses.dataclass(frozen=True)
    ... class ZeroOneLoss(MeanLoss):
    ...     name = "ZeroOneLoss"
    ...
    ...     def per_example(self, logits, labels):
    ...         return 1 - is_correct(logits, labels).astype(jnp.float32)
    >>> loss, weight = ZeroOneLoss().build(np.array([1, 1]))(jnp.eye(2), jnp.array([0, 0]))
    >>> print(loss / weight)
    0.5
    """

    recorded_is_optimised = True

    @abstractmethod
    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """The loss of each example, 0 for padding."""

    def build(self, class_counts: np.ndarray) -> LossSum:
        """(logits, labels) -> (sum of the losses of examples, number of examples)."""
        del class_counts
        return mean_of(self.per_example)
