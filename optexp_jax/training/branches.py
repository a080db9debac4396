"""Branches inside a program, as they suit the device: `cond` on a CPU, none on a GPU.

A CPU does at the same time what does not depend on each other, and waits for all that a branch
needs. So a branch also says what comes first: sums beside matrix products take their cores, and a
step of a CNN of 50 million parameters took a third longer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from optexp_jax import backend


def either(first: jax.Array | bool, one: Callable[[], Any], other: Callable[[], Any]) -> Any:
    """Choose one of two results; both are in the program only where data decide."""
    if isinstance(first, bool):
        return one() if first else other()
    return jax.lax.cond(first, one, other)


def if_wanted(wanted: jax.Array | bool, make: Callable[[], Any]) -> Any:
    """Make a tree if it is wanted, else zeros of its shapes."""
    if wanted is True:
        return make()
    shapes = jax.eval_shape(make)
    return either(wanted, make, lambda: optax.tree.zeros_like(shapes))


def guarded(taken: jax.Array, new: Callable[[], Any], old: Any) -> Any:
    """Choose the new values if the step is taken, else the old ones.

    By a branch on a CPU: `where` would keep the old parameters and moments beside the new, and copy
    them in every step.
    """
    if backend.form() == "cpu":
        return jax.lax.cond(taken, new, lambda: old)
    return jax.tree.map(lambda n, o: jnp.where(taken, n, o), new(), old)


def in_turn(always: jax.Array, make: Callable[[], Any]) -> Any:
    """Make a tree; on a CPU not before all that it is made of is there.

    Args:
        always: true, but XLA must not know.
        make: makes it.
    """
    if backend.form() != "cpu":
        return make()
    return if_wanted(always, make)


def is_known(norms: dict[str, jax.Array]) -> jax.Array:
    """Say True, but not before these norms are computed."""
    return jnp.all(jnp.stack([norm != -1 for norm in norms.values()]))
