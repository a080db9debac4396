"""The learning rate as data of a compiled program, so that one program serves every rate."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from optexp_jax.optim.learning_rate import LearningRate


def inject_rate(
    alias: Callable[..., optax.GradientTransformation], rate: LearningRate, **constants: object
) -> optax.GradientTransformationExtraArgs:
    """An optimizer of optax whose learning rate is data, in `state.hyperparams`.

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
    """The same for a factory that branches on its arguments: its defaults are constants too."""
    parameters = inspect.signature(factory).parameters.items()
    defaults = {n: p.default for n, p in parameters if p.default is not p.empty}
    defaults.pop("learning_rate", None)
    return inject_rate(factory, rate, **{**defaults, **constants})


def _keep_dtypes(
    transform: optax.GradientTransformationExtraArgs,
) -> optax.GradientTransformationExtraArgs:
    """Updates in the dtypes of the gradient, whatever the dtype of the injected rate."""

    def update(updates, state, params=None, **extra):
        new, state = transform.update(updates, state, params, **extra)
        return jax.tree.map(lambda u, g: u.astype(g.dtype), new, updates), state

    return optax.GradientTransformationExtraArgs(transform.init, update)
