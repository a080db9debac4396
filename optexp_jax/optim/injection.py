"""The learning rate as data of a compiled program, so that one program serves every rate."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from optexp_jax.optim.learning_rate import LearningRate


def inject_rate(
    alias: Callable[..., optax.GradientTransformation], rate: LearningRate, **constants: object
) -> optax.GradientTransformationExtraArgs:
    """Make the learning rate of an optax optimizer data, in `state.hyperparams`.

    Args:
        alias: such as `optax.rmsprop`; takes `learning_rate` by that name.
        rate: the learning rate to begin with.
        **constants: its other arguments; they are part of the program.

    Returns:
        the transformation; updates have the dtypes of the gradient.

    >>> state = inject_rate(optax.rmsprop, LearningRate(-2), decay=0.9).init({"w": jnp.ones(2)})
    >>> print(state.hyperparams["learning_rate"])
    0.01
    """
    # Only the rate is data: then Adam equals optax.adam bit for bit. Its dtype is the widest in
    # use, since bfloat16 would round 10^-2.5 in the third digit.
    injected = optax.inject_hyperparams(
        alias, static_args=tuple(constants), hyperparam_dtype=jnp.result_type(float)
    )
    return _keep_dtypes(injected(learning_rate=float(rate), **constants))


def inject_only_rate(
    factory: Callable[..., optax.GradientTransformation], rate: LearningRate, **constants: object
) -> optax.GradientTransformationExtraArgs:
    """Do the same for a factory that branches on its arguments: defaults stay constants."""
    parameters = inspect.signature(factory).parameters.items()
    defaults = {n: p.default for n, p in parameters if p.default is not p.empty}
    defaults.pop("learning_rate", None)
    return inject_rate(factory, rate, **{**defaults, **constants})


def at_rate(
    directions: optax.GradientTransformation, rate: LearningRate
) -> optax.GradientTransformationExtraArgs:
    """Scale directions, such as `optax.scale_by_adam()`, by a learning rate that is data.

    >>> tx = at_rate(optax.scale_by_sign(), LearningRate(-1))
    >>> print(tx.update(jnp.array([3.0, -4.0]), tx.init(jnp.zeros(2)))[0])
    [-0.1  0.1]
    """

    def alias(learning_rate: optax.ScalarOrSchedule) -> optax.GradientTransformation:
        return optax.chain(directions, optax.scale_by_learning_rate(learning_rate))

    return inject_rate(alias, rate)


def holds_rate(state: Any) -> bool:
    """Whether the state of an optimizer holds its learning rate, which is then data.

    >>> w = jnp.ones(2)
    >>> rate = LearningRate(-1)
    >>> holds_rate(inject_rate(optax.sgd, rate).init(w)), holds_rate(optax.sgd(0.1).init(w))
    (True, False)
    """
    return bool(optax.tree.get_all_with_path(state, "learning_rate"))


def require_rate(state: Any, name: str) -> None:
    """Refuse the state of an optimizer whose learning rate is a constant.

    Args:
        state: of the optimizer.
        name: of its class.

    Raises:
        ValueError: the state holds no learning rate.
    """
    if not holds_rate(state):
        raise ValueError(
            f"What {name}.transform returns holds no learning_rate in its state, so that nothing "
            "can change it: return optexp_jax.optim.inject_rate(...) there."
        )


def _keep_dtypes(
    transform: optax.GradientTransformationExtraArgs,
) -> optax.GradientTransformationExtraArgs:
    """Keep updates in the dtypes of the gradient, for any dtype of the injected learning rate."""

    def update(
        updates: optax.Updates, state: Any, params: optax.Params | None = None, **extra: Any
    ) -> tuple[optax.Updates, Any]:
        new, state = transform.update(updates, state, params, **extra)
        return jax.tree.map(lambda u, g: u.astype(g.dtype), new, updates), state

    return optax.GradientTransformationExtraArgs(transform.init, update)
