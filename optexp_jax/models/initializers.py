"""Initialisers as frozen values, so that a model's configuration holds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp


@dataclasses.dataclass(frozen=True)
class Zeros:
    """All zeros."""

    def build(self, fan_in: int) -> Callable[..., jax.Array]:
        """An initialiser (key, shape, dtype) -> array."""
        del fan_in
        return jax.nn.initializers.zeros


@dataclasses.dataclass(frozen=True)
class Normal:
    """Independent N(mean, std²) entries.

    >>> Normal(0.02)
    Normal(std=0.02, mean=0.0)
    """

    std: float
    mean: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "std", float(self.std))
        object.__setattr__(self, "mean", float(self.mean))

    def build(self, fan_in: int) -> Callable[..., jax.Array]:
        """An initialiser (key, shape, dtype) -> array."""
        del fan_in

        def initialize(key: jax.Array, shape: Sequence[int], dtype=jnp.float32) -> jax.Array:
            return self.mean + self.std * jax.random.normal(key, shape, dtype)

        return initialize


@dataclasses.dataclass(frozen=True)
class TorchUniform:
    """PyTorch's default for linear layers and their biases: U(-1/√fan_in, 1/√fan_in)."""

    def build(self, fan_in: int) -> Callable[..., jax.Array]:
        """An initialiser (key, shape, dtype) -> array."""
        bound = fan_in**-0.5

        def initialize(key: jax.Array, shape: Sequence[int], dtype=jnp.float32) -> jax.Array:
            return jax.random.uniform(key, shape, dtype, -bound, bound)

        return initialize


@dataclasses.dataclass(frozen=True)
class TorchAttention:
    """PyTorch's default for the projections of queries, keys and values: U(±√(6 / (4 fan_in))).

    Xavier's initialisation of the three projections stacked into one matrix.
    """

    def build(self, fan_in: int) -> Callable[..., jax.Array]:
        """An initialiser (key, shape, dtype) -> array."""
        bound = (6 / (4 * fan_in)) ** 0.5

        def initialize(key: jax.Array, shape: Sequence[int], dtype=jnp.float32) -> jax.Array:
            return jax.random.uniform(key, shape, dtype, -bound, bound)

        return initialize


Initializer = Zeros | Normal | TorchUniform | TorchAttention
