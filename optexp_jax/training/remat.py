"""Rematerialisation: the memory of blocks that the backward pass computes again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, Var, jaxpr_as_fun

_AGAIN = ("remat2", "checkpoint")  # names of `jax.checkpoint` in programs


def bytes_of_blocks(function: Callable[..., Any], *shapes: Any) -> int:
    """Return the bytes of rematerialised blocks: residuals of the largest one, and random bits.

    XLA for CPUs draws the random bits for dropout of all blocks early and keeps twice their size.
    This was seen with GPT-2; a GPU was not measured.

    Args:
        function: a function with blocks in `jax.checkpoint`. Blocks inside a scan do not count.
        shapes: shapes of its arguments.

    >>> block = jax.checkpoint(lambda x: jnp.sin(jnp.sin(x)))
    >>> bytes_of_blocks(lambda x: block(block(x)), jnp.ones(8))
    64
    """
    blocks = list(_blocks(jax.make_jaxpr(function)(*shapes)))
    return max(map(_kept, blocks), default=0) + 2 * sum(map(_random, blocks))


def _blocks(jaxpr: Any) -> Iterator[Any]:
    for eqn in jaxpr.eqns:
        if eqn.primitive.name in _AGAIN:
            yield eqn.params["jaxpr"]
        elif eqn.primitive.name != "scan":
            for inside in jaxprs_in(eqn.params):
                yield from _blocks(inside)


def jaxprs_in(params: dict[str, Any]) -> Iterator[Jaxpr]:
    """Yield the jaxprs in the parameters of an equation of a jaxpr."""
    for value in params.values():
        for part in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(part, (ClosedJaxpr, Jaxpr)):
                yield part.jaxpr if isinstance(part, ClosedJaxpr) else part


def _random(jaxpr: Any) -> int:
    """Return the bytes of all random bits."""
    found = 0
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "random_bits":
            found += sum(v.aval.size * v.aval.dtype.itemsize for v in eqn.outvars)
        found += sum(_random(p) for p in jaxprs_in(eqn.params))
    return found


def _kept(block: Any) -> int:
    """Return the bytes of the residuals of a block."""
    call = jaxpr_as_fun(ClosedJaxpr(block, ()))
    shapes = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in block.invars]
    real = [i for i, s in enumerate(shapes) if jnp.issubdtype(s.dtype, jnp.floating)]

    def kept(*values: Any) -> Any:
        def of_reals(*reals: Any) -> Any:
            replaced = dict(zip(real, reals, strict=True))
            return call(*(replaced.get(i, value) for i, value in enumerate(values)))

        return jax.tree.leaves(jax.vjp(of_reals, *(values[i] for i in real))[1])

    found = jax.make_jaxpr(kept)(*shapes).jaxpr
    # Inputs exist in any case.
    new = {v for v in found.outvars if isinstance(v, Var) and v not in found.invars}
    avals: list[Any] = [v.aval for v in new]
    return sum(aval.size * aval.dtype.itemsize for aval in avals)
