"""Optimizers as values: frozen dataclasses that compare, print, and `build()` the optax chain.

The learning rate is injected as data (`optax.inject_hyperparams`), so that one compiled program
serves every learning rate; all other numbers are constants of the program.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar

import jax
import jax.numpy as jnp
import optax

from optexp_jax.optim import aliases
from optexp_jax.optim.learning_rate import LearningRate
from optexp_jax.optim.line_search import line_search_gd
from optexp_jax.optim.spec_checks import check_below_one, check_fields
from optexp_jax.registry import register

_NOT_DECAYED = ("bias", "scale", "embedding")


def _keep_dtypes(
    transform: optax.GradientTransformationExtraArgs,
) -> optax.GradientTransformationExtraArgs:
    """Updates in the dtypes of the gradient, whatever the dtype of the injected rate."""

    def update(updates, state, params=None, **extra):
        new, state = transform.update(updates, state, params, **extra)
        return jax.tree.map(lambda u, g: u.astype(g.dtype), new, updates), state

    return optax.GradientTransformationExtraArgs(transform.init, update)


def _inject(
    alias: Callable[..., optax.GradientTransformation], rate: LearningRate, **constants: object
) -> optax.GradientTransformationExtraArgs:
    # Only the rate is data: then Adam equals optax.adam bit for bit. Its dtype is the widest in
    # use, since bfloat16 would round 10^-2.5 in the third digit.
    injected = optax.inject_hyperparams(
        alias, static_args=tuple(constants), hyperparam_dtype=jnp.result_type(float)
    )
    return _keep_dtypes(injected(learning_rate=float(rate), **constants))


@dataclasses.dataclass(frozen=True)
class _DescentWithMomentum:
    """What the four methods of a rate and a momentum share."""

    learning_rate: LearningRate
    momentum: float = 0.0

    _alias: ClassVar[Callable[..., optax.GradientTransformation]]

    def __post_init__(self) -> None:
        check_fields(self)
        check_below_one(self, "momentum")

    def build(self) -> optax.GradientTransformationExtraArgs:
        """The optax transformation, its learning rate in `state.hyperparams`."""
        return _inject(type(self)._alias, self.learning_rate, momentum=self.momentum or None)


@register("SGD")
class SGD(_DescentWithMomentum):
    """(Stochastic) gradient descent with heavy-ball momentum: m = momentum · m + g, w -= lr · m.

    >>> SGD(LearningRate(-1), 0)
    SGD(learning_rate=LearningRate('10^-1'), momentum=0.0)
    """

    _alias = staticmethod(optax.sgd)


@register("SignDescent")
class SignDescent(_DescentWithMomentum):
    """`sign_descent` as a value."""

    _alias = staticmethod(aliases.sign_descent)


@register("NormalizedGD")
class NormalizedGD(_DescentWithMomentum):
    """`normalized_gd` as a value."""

    _alias = staticmethod(aliases.normalized_gd)


@register("ScaledSignDescent")
class ScaledSignDescent(_DescentWithMomentum):
    """`scaled_sign_descent` as a value."""

    _alias = staticmethod(aliases.scaled_sign_descent)


@register("Adam")
@dataclasses.dataclass(frozen=True)
class Adam:
    """Adam with bias correction and no decay; beta1 = 0 is Adam without momentum.

    >>> Adam(LearningRate(-3)).beta2
    0.999
    """

    learning_rate: LearningRate
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        check_fields(self)
        check_below_one(self, "beta1", "beta2")

    def build(self) -> optax.GradientTransformationExtraArgs:
        """The optax transformation, its learning rate in `state.hyperparams`."""
        return _inject(optax.adam, self.learning_rate, b1=self.beta1, b2=self.beta2, eps=self.eps)


@register("AdamW")
@dataclasses.dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay; `split_decay` spares biases, norms and embeddings."""

    learning_rate: LearningRate
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.01
    split_decay: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        check_below_one(self, "beta1", "beta2")

    def build(self) -> optax.GradientTransformationExtraArgs:
        """The optax transformation, its learning rate in `state.hyperparams`."""
        return _inject(
            optax.adamw,
            self.learning_rate,
            b1=self.beta1,
            b2=self.beta2,
            eps=self.eps,
            weight_decay=self.weight_decay,
            mask=_decays if self.split_decay else None,
        )


def _decays(params: optax.Params) -> optax.Params:
    """True for the leaves that AdamW decays, by Flax's names: not biases, scales or embeddings."""

    def decays(path, leaf):
        del leaf
        names = jax.tree_util.keystr(path, simple=True, separator="/").split("/")
        return names[-1] not in _NOT_DECAYED

    return jax.tree_util.tree_map_with_path(decays, params)


@register("Adagrad")
@dataclasses.dataclass(frozen=True)
class Adagrad:
    """`adagrad` as a value."""

    learning_rate: LearningRate

    def __post_init__(self) -> None:
        check_fields(self)

    def build(self) -> optax.GradientTransformationExtraArgs:
        """The optax transformation, its learning rate in `state.hyperparams`."""
        return _inject(aliases.adagrad, self.learning_rate)


@register("LineSearchGD")
@dataclasses.dataclass(frozen=True)
class LineSearchGD:
    """`line_search_gd` as a value. It has no learning rate and lists 10^0, its first step.

    >>> str(LineSearchGD().learning_rate)
    '10^0'
    """

    slope: float = 0.5
    shrink: float = 0.9
    grow: float = 1.5

    def __post_init__(self) -> None:
        check_fields(self)
        check_below_one(self, "slope", "shrink")
        if self.grow < 1.0 or self.shrink == 0.0:
            raise ValueError("LineSearchGD needs grow from 1 and shrink strictly between 0 and 1.")

    @property
    def learning_rate(self) -> LearningRate:
        """Always 10^0, so that every optimizer can be listed by a rate."""
        return LearningRate(0)

    def build(self) -> optax.GradientTransformationExtraArgs:
        """The optax transformation; `update` needs `value=`, `grad=` and `value_fn=`."""
        return line_search_gd(self.slope, self.shrink, self.grow)


Optimizer = (
    SGD | Adam | AdamW | SignDescent | NormalizedGD | ScaledSignDescent | Adagrad | LineSearchGD
)


def momentum_of(optimizer: Optimizer) -> float:
    """The weight of earlier directions: `momentum`, `beta1` of Adam and AdamW, 0 where none is.

    Args:
        optimizer: any spec.

    Returns:
        from 0, which means that nothing is averaged over steps, to below 1.

    >>> rate = LearningRate(-2)
    >>> [momentum_of(o) for o in (SGD(rate, 0.5), Adam(rate), Adagrad(rate), LineSearchGD())]
    [0.5, 0.9, 0.0, 0.0]
    """
    return getattr(optimizer, "momentum", getattr(optimizer, "beta1", 0.0))
