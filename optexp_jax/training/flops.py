"""Count the floating-point operations of a step from shapes alone.

*Model FLOPs* are those of the matrix products and convolutions of a forward pass, and twice as many
for the backward pass. They leave out recomputation (tiles of a loss, rematerialisation) and all
other operations, so that utilisations can be compared. XLA counts all operations of its program.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr

from optexp_jax.models.functional import merge
from optexp_jax.training.batches import Batch
from optexp_jax.training.objective import Draw
from optexp_jax.training.remat import jaxprs_in
from optexp_jax.training.step import RunState, Stepper


def product_flops(jaxpr: Any) -> float:
    """Count the FLOPs of the matrix products and convolutions of a jaxpr.

    A multiplication and its addition are two FLOPs.

    >>> f = lambda a, b: jnp.tanh(a @ b)
    >>> product_flops(jax.make_jaxpr(f)(jnp.ones((2, 3)), jnp.ones((3, 5))))
    60.0
    """
    if isinstance(jaxpr, ClosedJaxpr):
        jaxpr = jaxpr.jaxpr
    return sum(map(_flops_of, jaxpr.eqns), 0.0)


def _flops_of(eqn: Any) -> float:
    name = eqn.primitive.name
    if name == "dot_general":
        (contracted, _), _ = eqn.params["dimension_numbers"]
        shape = eqn.invars[0].aval.shape
        return 2.0 * eqn.outvars[0].aval.size * math.prod(shape[i] for i in contracted)
    if name == "conv_general_dilated":
        kernel = eqn.invars[1].aval
        outputs = kernel.shape[eqn.params["dimension_numbers"].rhs_spec[0]]
        return 2.0 * eqn.outvars[0].aval.size * kernel.size / outputs
    inside = [product_flops(inner) for inner in jaxprs_in(eqn.params)]
    if name == "cond":  # one branch is taken, also where the platform decides
        return max(inside, default=0.0)
    return eqn.params.get("length", 1) * sum(inside) if name == "scan" else sum(inside, 0.0)


def forward_flops(stepper: Stepper, state: RunState, example: Batch) -> float:
    """Return the model FLOPs of the forward pass of some examples, from their shapes."""
    return product_flops(_forward(stepper, state, example))


def has_convolutions(stepper: Stepper, state: RunState, example: Batch) -> bool:
    """Return whether a model has convolutions in its form for this device, from shapes."""
    return _holds(_forward(stepper, state, example).jaxpr, "conv_general_dilated")


def _holds(jaxpr: Any, name: str) -> bool:
    return any(
        eqn.primitive.name == name or any(_holds(p, name) for p in jaxprs_in(eqn.params))
        for eqn in jaxpr.eqns
    )


def _forward(stepper: Stepper, state: RunState, example: Batch) -> ClosedJaxpr:
    """Return the jaxpr of the forward pass."""
    objective = stepper.objective

    def forward(state: RunState, inputs: jax.Array) -> Any:
        params = merge(state.params, state.frozen)
        return objective.model.apply(
            params, state.model_state, objective.to_inputs(inputs), {}, train=False
        )[0]

    return jax.make_jaxpr(forward)(state, example.inputs)


def counted_by_xla(stepper: Stepper, state: RunState, examples: Batch) -> float:
    """Return the FLOPs of loss and gradient of some examples by XLA's cost analysis.

    XLA counts the body of a loop once, so pass so few examples that the loss is not in tiles.
    """

    def gradient(state: RunState, batch: Batch) -> Any:
        one = stepper.objective.block_value
        draw, where = Draw(jax.random.key(0)), (state.frozen, state.model_state, batch)
        return jax.grad(one, has_aux=True)(state.params, *where, draw, True, False)

    cost: Any = jax.jit(gradient).lower(state, examples).cost_analysis()
    return float((cost or {}).get("flops", jnp.nan))
