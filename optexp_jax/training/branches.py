"""Conditions inside compiled programs: `cond` on a CPU, `where` on a GPU.

A CPU runs independent operations at the same time, and a branch waits for all its inputs. So a
branch also fixes an order. Without one, reductions compete with matrix products for the cores: a
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
    """Return one of two results; the program holds both only if `first` is traced."""
    if isinstance(first, bool):
        return one() if first else other()
    return jax.lax.cond(first, one, other)


def if_wanted(wanted: jax.Array | bool, make: Callable[[], Any]) -> Any:
    """Return a tree if it is wanted, else zeros of the same shapes."""
    if wanted is True:
        return make()
    shapes = jax.eval_shape(make)
    return either(wanted, make, lambda: optax.tree.zeros_like(shapes))


def guarded(taken: jax.Array, new: Callable[[], Any], old: Any) -> Any:
    """Return the new values if the step is taken, else the old ones.

    On a CPU this is a branch: `where` would hold old and new parameters and moments at the same
    time, and copy them in every step.
    """
    if backend.form() == "cpu":
        return jax.lax.cond(taken, new, lambda: old)
    return jax.tree.map(lambda n, o: jnp.where(taken, n, o), new(), old)


def in_turn(always: jax.Array, make: Callable[[], Any]) -> Any:
    """Return a tree; on a CPU, compute it only after all its inputs are complete.

    Args:
        always: a boolean that is true at run time, which XLA must not be able to infer.
        make: computes the tree.
    """
    if backend.form() != "cpu":
        return make()
    return if_wanted(always, make)


def is_known(norms: dict[str, jax.Array]) -> jax.Array:
    """Return True, but only after these norms are computed."""
    return jnp.all(jnp.stack([norm != -1 for norm in norms.values()]))
