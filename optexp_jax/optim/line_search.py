"""Gradient descent with the paper's backtracking line search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax

from optexp_jax.optim.transforms import l2_norm

_STATIONARY = 1e-8
_MAX_TRIALS = 200


def line_search_gd(
    slope: float = 0.5, shrink: float = 0.9, grow: float = 1.5, max_trials: int = _MAX_TRIALS
) -> optax.GradientTransformationExtraArgs:
    """Gradient descent with Armijo backtracking: f(w - a g) <= f(w) - slope · a ‖g‖².

    The inequality is meant up to the rounding of f, a relative eps.
    The first trial step is `grow` times the last accepted one, and each refusal shrinks it. Below a
    gradient norm of 1e-8 the parameters and the stored step stay as they are: there the step would
    grow without limit.

    Args:
        slope: the demanded fraction of the decrease that the gradient promises.
        shrink: factor of the step after a refused trial, in (0, 1).
        grow: factor of the last accepted step for the first trial, at least 1.
        max_trials: refusals after which the last trial is taken; if the loss there is not finite,
            the parameters stay, and the next search begins at that trial.

    Returns:
        a transformation whose `update` takes the keywords `value=`, `grad=` and `value_fn=`, as
        optax's line searches do, and raises a TypeError without them.

    >>> tx, w = line_search_gd(), jnp.array([2.0])
    >>> f = lambda w: jnp.sum(w**2)
    >>> step, _ = tx.update(2 * w, tx.init(w), w, value=f(w), grad=2 * w, value_fn=f)
    >>> print(f(w + step) < f(w))
    True

    Source: the authors' code (slope 0.5, shrink 0.9, grow 1.5); not in the paper's text.
    """

    def search(value: jax.Array) -> optax.GradientTransformationExtraArgs:
        # The rounding error of f is forgiven: at that floor every trial would be refused otherwise,
        # and the stored step would fall to 0 for good.
        return optax.chain(
            optax.sgd(1.0),
            optax.scale_by_backtracking_linesearch(
                max_backtracking_steps=max_trials,
                slope_rtol=slope,
                decrease_factor=shrink,
                increase_factor=grow,
                max_learning_rate=float("inf"),
                atol=jnp.finfo(value.dtype).eps * jnp.abs(value),
            ),
        )

    def init(params: optax.Params) -> Any:
        # Strong types as in later states: with optax's weak ones the second step compiles again.
        state = search(jnp.zeros(())).init(params)
        return _cast_like(state, state)

    def update(
        updates: optax.Updates, state: Any, params: optax.Params | None = None, **extra: Any
    ) -> tuple[optax.Updates, Any]:
        value, grad = _needed(params, extra)

        def step(_):
            found, new_state = search(jnp.asarray(value)).update(updates, state, params, **extra)
            new_state = _kept_going(state, new_state, grow * shrink**max_trials)
            return _cast_like(found, updates), _cast_like(new_state, state)

        def stay(_):
            return optax.tree.zeros_like(updates), state

        return jax.lax.cond(l2_norm(grad) < _STATIONARY, stay, step, None)

    return optax.GradientTransformationExtraArgs(init, update)


def _needed(params: optax.Params | None, extra: Mapping[str, Any]) -> tuple[Any, Any]:
    """The value and the gradient among the keywords of an update."""
    names = [name for name in ("value", "grad", "value_fn") if extra.get(name) is None]
    missing = ["params"] * (params is None) + [f"{name}=" for name in names]
    if missing:
        raise TypeError(
            f"The update of line_search_gd misses {', '.join(missing)}: call tx.update(grads, "
            "state, params, value=f(params), grad=grads, value_fn=f) with the loss f."
        )
    return extra["value"], extra["grad"]


def _kept_going(old: Any, new: Any, factor: float) -> Any:
    """The new state, with the last step that was tried where optax gave up and stored 0.

    It does so if the loss at that step is not finite; no later step would ever be longer than 0.
    """
    tried = optax.tree.get(old, "learning_rate") * factor
    stored = optax.tree.get(new, "learning_rate")
    return optax.tree.set(new, learning_rate=jnp.where(stored > 0, stored, tried))


def _cast_like(tree: Any, like: Any) -> Any:
    return jax.tree.map(lambda x, y: jnp.asarray(x).astype(jnp.asarray(y).dtype), tree, like)
