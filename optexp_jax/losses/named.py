"""Losses and metrics made of a function."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax

from optexp_jax.losses.base import MeanLoss, Metric
from optexp_jax.registry import register

PerExample = Callable[[jax.Array, jax.Array], jax.Array]


def loss(name: str) -> Callable[[PerExample], MeanLoss]:
    """Turn a function into a loss: the mean of its values over the examples.

    Args:
        name: name of the recorded column; part of the id of experiments.

    Returns:
        a decorator of a function (logits `[..., num_classes]`, labels `[...]`) -> values `[...]`,
        0 for padding (label -1); it returns the loss itself.

    Raises:
        OptexpError: another class has this name.

    >>> import jax.numpy as jnp
    >>> from optexp_jax.losses import cross_entropy
    >>> @loss("FocalLoss")
    ... def focal(logits, labels):
    ...     nats = cross_entropy(logits, labels)
    ...     return (1 - jnp.exp(-nats)) ** 2 * nats
    >>> print(focal.per_example(jnp.zeros((1, 2)), jnp.array([1])))
    [0.1732868]
    """
    return lambda function: _value(name, function, MeanLoss)


def metric(name: str) -> Callable[[PerExample], Metric]:
    """Turn a function into a metric: the mean of its values, overall and by class.

    Args:
        name: name of the recorded column; part of the id of experiments.

    Returns:
        a decorator of a function (logits `[..., num_classes]`, labels `[...]`) -> values `[...]`,
        0 for padding (label -1); it returns the metric itself.

    Raises:
        OptexpError: another class has this name.

    >>> import jax.numpy as jnp
    >>> @metric("Entropy")
    ... def entropy(logits, labels):
    ...     return -(jax.nn.softmax(logits) * jax.nn.log_softmax(logits)).sum(-1)
    >>> print(entropy, entropy.per_example(jnp.zeros((1, 2)), jnp.array([1])))
    Entropy() [0.6931472]
    """
    return lambda function: _value(name, function, object)


def _value(name: str, function: PerExample, base: type) -> Any:
    members = {
        "__doc__": function.__doc__,
        "__module__": function.__module__,
        "__qualname__": function.__qualname__,
        "__repr__": lambda self: f"{name}()",
        "__wrapped__": function,  # whose source is the code of the class
        "name": name,
        "per_example": staticmethod(function),
    }
    cls = type(name, (base,), members)
    return register(name)(dataclasses.dataclass(frozen=True, repr=False)(cls))()
