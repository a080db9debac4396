"""Optimizers as values: frozen dataclasses that compare, print, and `build()` the optax chain.

The learning rate is injected as data (`optax.inject_hyperparams`), so that one compiled program
serves every learning rate; all other numbers are constants of the program.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import optax

from optexp_jax.optim import aliases
from optexp_jax.optim.base import Appearance
from optexp_jax.optim.injection import inject_rate
from optexp_jax.optim.learning_rate import LearningRate
from optexp_jax.optim.line_search import line_search_gd
from optexp_jax.optim.modifiers import DecayModifiers, Modifiers
from optexp_jax.optim.spec_checks import check_below_one
from optexp_jax.registry import is_neutral, register

_NOT_SEARCHED = {
    "schedule": "as it searches its step",
    "clip": "as it searches along the gradient of the loss",
    "weight_decay": "as it searches along the gradient of the loss",
}
_NOT_DECAYED = ("bias", "scale", "embedding")


@dataclasses.dataclass(frozen=True, repr=False)
class _DescentWithMomentum(DecayModifiers):
    """Base class of the four methods with a learning rate and a momentum."""

    learning_rate: LearningRate
    momentum: float = 0.0

    _alias: ClassVar[Callable[..., optax.GradientTransformation]]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_below_one(self, "momentum")

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in `state.hyperparams`."""
        return inject_rate(type(self)._alias, self.learning_rate, momentum=self.momentum or None)


@register("SGD")
class SGD(_DescentWithMomentum):
    """(Stochastic) gradient descent with heavy-ball momentum: m = momentum · m + g, w -= lr · m.

    >>> SGD(LearningRate(-1), 0)
    SGD(learning_rate=LearningRate('10^-1'), momentum=0.0)
    """

    appearance = Appearance("GD", "#D55E00", "o")
    _alias = staticmethod(optax.sgd)


@register("SignDescent")
class SignDescent(_DescentWithMomentum):
    """`sign_descent` as a value."""

    appearance = Appearance("Sign descent", "#009E73", "^")
    _alias = staticmethod(aliases.sign_descent)


@register("NormalizedGD")
class NormalizedGD(_DescentWithMomentum):
    """`normalized_gd` as a value."""

    appearance = Appearance("Normalised GD", "#E69F00", "v")
    _alias = staticmethod(aliases.normalized_gd)


@register("ColumnNormalizedGD")
class ColumnNormalizedGD(_DescentWithMomentum):
    """`column_normalized_gd` as a value."""

    appearance = Appearance("Column-normalised GD", "#999933", "$C$")
    _alias = staticmethod(aliases.column_normalized_gd)


@register("ScaledSignDescent")
class ScaledSignDescent(_DescentWithMomentum):
    """`scaled_sign_descent` as a value."""

    appearance = Appearance("Scaled sign descent", "#CC79A7", "<")
    _alias = staticmethod(aliases.scaled_sign_descent)


@register("Adam")
@dataclasses.dataclass(frozen=True, repr=False)
class Adam(DecayModifiers):
    """Adam with bias correction and no decay; beta1 = 0 is Adam without momentum.

    >>> Adam(LearningRate(-3)).beta2
    0.999
    """

    learning_rate: LearningRate
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    appearance: ClassVar[Appearance] = Appearance("Adam", "#0072B2", "s")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_below_one(self, "beta1", "beta2")

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in `state.hyperparams`."""
        return inject_rate(
            optax.adam, self.learning_rate, b1=self.beta1, b2=self.beta2, eps=self.eps
        )


@register("AdamW")
@dataclasses.dataclass(frozen=True, repr=False)
class AdamW(Modifiers):
    """Adam with decoupled weight decay; `split_decay` spares biases, norms and embeddings."""

    learning_rate: LearningRate
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.01
    split_decay: bool = False

    appearance: ClassVar[Appearance] = Appearance("AdamW", "#56B4E9", "D")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_below_one(self, "beta1", "beta2")

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in `state.hyperparams`."""
        return inject_rate(
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

    def decays(path: tuple[Any, ...], leaf: Any) -> bool:
        del leaf
        names = jax.tree_util.keystr(path, simple=True, separator="/").split("/")
        return names[-1] not in _NOT_DECAYED

    return jax.tree_util.tree_map_with_path(decays, params)


@register("Adagrad")
@dataclasses.dataclass(frozen=True, repr=False)
class Adagrad(DecayModifiers):
    """`adagrad` as a value."""

    learning_rate: LearningRate

    appearance: ClassVar[Appearance] = Appearance("Adagrad", "#000000", "P")

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in `state.hyperparams`."""
        return inject_rate(aliases.adagrad, self.learning_rate)


@register("LineSearchGD")
@dataclasses.dataclass(frozen=True, repr=False)
class LineSearchGD(DecayModifiers):
    """`line_search_gd` as a value. It has no learning rate and lists 10^0, its first step.

    >>> str(LineSearchGD().learning_rate)
    '10^0'
    """

    slope: float = 0.5
    shrink: float = 0.9
    grow: float = 1.5

    appearance: ClassVar[Appearance] = Appearance("GD with line search", "#8C6D31", "")
    has_rate: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_below_one(self, "slope", "shrink")
        for name, effect in _NOT_SEARCHED.items():
            if not is_neutral(type(self), name, getattr(self, name)):
                raise ValueError(f"LineSearchGD takes no {name}, {effect}: leave it out.")
        if self.grow < 1.0 or self.shrink == 0.0:
            raise ValueError("LineSearchGD needs grow from 1 and shrink strictly between 0 and 1.")

    @property
    def learning_rate(self) -> LearningRate:
        """Always 10^0, so that every optimizer can be listed by a rate."""
        return LearningRate(0)

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optax transformation; `update` needs `value=`, `grad=` and `value_fn=`."""
        return line_search_gd(self.slope, self.shrink, self.grow)
