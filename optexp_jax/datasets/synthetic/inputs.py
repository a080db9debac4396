"""Distributions of random inputs, and how many of them are drawn on the device."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.field_checks import check_number
from optexp_jax.registry import register

_BLOCK_BYTES = 16 * 2**20
_SHORTEST = 16


@register("Uniform")
@dataclasses.dataclass(frozen=True)
class Uniform:
    """Inputs uniform on [0, 1]."""

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Independent entries of the given shape, float32."""
        return jax.random.uniform(key, shape, jnp.float32)


@register("Gaussian")
@dataclasses.dataclass(frozen=True)
class Gaussian:
    """Inputs N(mean, scale²)."""

    mean: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_number("mean of Gaussian", self.mean, -float("inf"))
        check_number("scale of Gaussian", self.scale)
        object.__setattr__(self, "mean", float(self.mean))
        object.__setattr__(self, "scale", float(self.scale))

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Independent entries of the given shape, float32."""
        # mean + scale · √2 · erf⁻¹(u), where `jax.random.normal` has √2 · erf⁻¹(u). Some versions
        # of XLA make one factor of these two, and others do not: here it is one for all.
        factor = np.float32(np.sqrt(2)) * np.float32(self.scale)
        above_minus_one = np.nextafter(np.float32(-1), np.float32(0))
        u = jax.random.uniform(key, shape, jnp.float32, above_minus_one, 1.0)
        return np.float32(self.mean) + factor * jax.lax.erf_inv(u)


Inputs = Uniform | Gaussian


@functools.partial(jax.jit, static_argnums=(0, 2, 3), static_argnames="bias_column")
def draw_rows(
    inputs: Inputs, key: jax.Array, count: int, length: int, *, bias_column: bool = False
) -> jax.Array:
    """Random vectors, on the device, in little more memory than they take themselves.

    Row i is a function of the key and i, so it does not depend on how many rows there are.

    Args:
        inputs: their distribution.
        key: of the randomness.
        count: number of vectors.
        length: of a vector, without the bias column.
        bias_column: whether a column of ones is appended.

    Returns:
        float32 `[count, length + bias_column]`.

    >>> draw_rows(Gaussian(), jax.random.key(0), 3, 4, bias_column=True).shape
    (3, 5)
    """
    size = min(count, max(1, _BLOCK_BYTES // (4 * length)))
    # The random bits of all rows at once would take several times the memory of the rows.
    one = functools.partial(_row, inputs, key, length)

    def fill(block: jax.Array, rows: jax.Array) -> jax.Array:
        start = jnp.minimum(block * size, count - size)
        new = jax.vmap(one)(start + jnp.arange(size))
        return jax.lax.dynamic_update_slice(rows, new, (start, 0))

    rows = jnp.ones((count, length + bias_column), jnp.float32)
    return jax.lax.fori_loop(0, -(-count // size), fill, rows)


def _row(inputs: Inputs, key: jax.Array, length: int, index: jax.Array) -> jax.Array:
    # In a loop over many rows of a few entries XLA may round otherwise than in one over a single
    # row: short ones are drawn longer, and then cut.
    drawn = inputs.sample(jax.random.fold_in(key, index), (max(length, _SHORTEST),))
    return jax.lax.optimization_barrier(drawn)[:length]
