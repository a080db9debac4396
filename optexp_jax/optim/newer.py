"""Optimizers of optax that the paper does not have, as values."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax.numpy as jnp
import optax
from optax import contrib

from optexp_jax.optim.base import Appearance
from optexp_jax.optim.injection import inject_only_rate
from optexp_jax.optim.learning_rate import LearningRate, shown
from optexp_jax.optim.modifiers import DecayModifiers, Modifiers
from optexp_jax.optim.roles import Rules, by_path, check_roles, check_rules, heads_split, role_of
from optexp_jax.optim.spec_checks import check_below_one
from optexp_jax.registry import register

_HIDDEN = ("qk", "vo", "mlp")


@register("Lion")
@dataclasses.dataclass(frozen=True, repr=False)
class Lion(DecayModifiers):
    """Lion: d = sign(beta1 · m + (1 - beta1) · g), then m = beta2 · m + (1 - beta2) · g.

    Source: Chen et al., Symbolic discovery of optimization algorithms, 2023; `optax.lion`.
    """

    learning_rate: LearningRate
    beta1: float = 0.9
    beta2: float = 0.99

    appearance: ClassVar[Appearance] = Appearance("Lion", "#CC3311", "$L$")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_below_one(self, "beta1", "beta2")

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in `state.hyperparams`."""
        # Weight decay is a modifier.
        constants = {"b1": self.beta1, "b2": self.beta2, "weight_decay": 0.0}
        return inject_only_rate(optax.lion, self.learning_rate, **constants)


@register("Signum")
@dataclasses.dataclass(frozen=True, repr=False)
class Signum(DecayModifiers):
    """Signum: d = sign(m) of m = momentum · m + (1 - momentum) · g; `SignDescent` averages signs.

    Source: Bernstein et al., signSGD, 2018; `optax.signum`.
    """

    learning_rate: LearningRate
    momentum: float = 0.9

    appearance: ClassVar[Appearance] = Appearance("Signum", "#009988", "$S$")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_below_one(self, "momentum")

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in `state.hyperparams`."""
        return inject_only_rate(optax.signum, self.learning_rate, beta=self.momentum)


@register("Adafactor")
@dataclasses.dataclass(frozen=True, repr=False)
class Adafactor(DecayModifiers):
    """Adafactor: second moments of matrices from those of their rows and columns.

    Args:
        learning_rate: relative to the size of each parameter, where that is multiplied.
        decay_rate: exponent c of the weight 1 - t^-c of earlier squares.
        min_dim_size_to_factor: the smallest side of a matrix that is factored.
        clipping_threshold: the largest root mean square of a leaf's direction.
        multiply_by_parameter_scale: whether a leaf's direction is multiplied by the root mean
            square of the leaf, at least 0.001.

    Source: Shazeer and Stern, Adafactor, 2018; `optax.adafactor`.
    """

    learning_rate: LearningRate
    decay_rate: float = 0.8
    min_dim_size_to_factor: int = 128
    clipping_threshold: float = 1.0
    multiply_by_parameter_scale: bool = True

    appearance: ClassVar[Appearance] = Appearance("Adafactor", "#33BBEE", "$F$")

    def __post_init__(self) -> None:
        super().__post_init__()
        size = self.min_dim_size_to_factor
        if type(size) is not int or size < 1:
            raise ValueError(
                f"Adafactor.min_dim_size_to_factor is a whole number from 1, not {shown(size)}."
            )

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in `state.hyperparams`."""
        return inject_only_rate(
            optax.adafactor,
            self.learning_rate,
            decay_rate=self.decay_rate,
            min_dim_size_to_factor=self.min_dim_size_to_factor,
            clipping_threshold=self.clipping_threshold,
            multiply_by_parameter_scale=self.multiply_by_parameter_scale,
        )


@register("ScheduleFreeAdamW")
@dataclasses.dataclass(frozen=True, repr=False)
class ScheduleFreeAdamW(Modifiers):
    """Schedule-free AdamW: the gradient is taken at y, between a fast point z and its average x.

    z -= lr · (g / (√v + eps) + weight_decay · y), x = (1 - c) x + c z, y = beta1 x + (1 - beta1) z,
    with c from the squares of the rates so far. Training holds y, and rows are measured there; the
    authors evaluate x, `optax.contrib.schedule_free_eval_params`.

    Source: Defazio et al., The road less scheduled, 2024; `optax.contrib.schedule_free_adamw`.
    """

    learning_rate: LearningRate
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    appearance: ClassVar[Appearance] = Appearance("Schedule-free AdamW", "#4477AA", "$W$")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_below_one(self, "beta1", "beta2")
        if self.beta1 == 0:
            raise ValueError("ScheduleFreeAdamW.beta1 is above 0, as it divides by it, not 0.0.")

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in `state.hyperparams`."""
        return inject_only_rate(
            _schedule_free_adamw,
            self.learning_rate,
            b1=self.beta1,
            b2=self.beta2,
            eps=self.eps,
            weight_decay=self.weight_decay,
        )


def _schedule_free_adamw(
    learning_rate: Any, b1: float, b2: float, eps: float, weight_decay: float
) -> optax.GradientTransformationExtraArgs:
    """That of optax, whose sums of rates keep the dtype of the rate from the start."""
    tx = contrib.schedule_free_adamw(learning_rate, None, b1, b2, eps, weight_decay)

    def init(params: optax.Params) -> contrib.ScheduleFreeState:
        zero = jnp.zeros([], jnp.result_type(float))
        state: Any = tx.init(params)
        return state._replace(weight_sum=zero, max_lr=zero)

    return optax.GradientTransformationExtraArgs(init, tx.update)


@register("Muon")
@dataclasses.dataclass(frozen=True, repr=False)
class Muon(DecayModifiers):
    """Muon: the momentum of a matrix, made orthogonal by Newton and Schulz's iteration.

    Leaves of other roles, vectors and biases are trained by Adam with Nesterov momentum at the
    same rate. A kernel of more axes is one matrix: `[inputs, heads, width]` of query, key and value
    is inputs x (heads · width); any other has its last axis as outputs, the others as inputs.

    Args:
        learning_rate: of both; an orthogonal direction is scaled by √max(1, outputs / inputs).
        momentum: weight of earlier gradients, with Nesterov's correction.
        takes: roles of the leaves that Muon trains, see `role_of`; `other` are convolutions.
        rules: roles of leaves by path, which come before those of `role_of`.
        ns_steps: steps of the iteration.
        adam_beta1: of Adam.
        adam_beta2: of Adam.

    Source: Jordan et al., Muon, 2024; `optax.contrib.muon`.
    """

    learning_rate: LearningRate
    momentum: float = 0.95
    takes: tuple[str, ...] = _HIDDEN
    rules: Rules = ()
    ns_steps: int = 5
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999

    appearance: ClassVar[Appearance] = Appearance("Muon", "#EE3377", "$M$")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_below_one(self, "momentum", "adam_beta1", "adam_beta2")
        if isinstance(self.takes, str) or not all(isinstance(r, str) for r in self.takes):
            raise ValueError(f"Muon.takes is a tuple of roles, not {shown(self.takes)}.")
        object.__setattr__(self, "takes", tuple(sorted(set(self.takes))))
        object.__setattr__(self, "rules", check_rules(self, self.rules))
        check_roles(self, "takes", self.takes, self.rules)
        if type(self.ns_steps) is not int or self.ns_steps < 1:
            raise ValueError(f"Muon.ns_steps is a whole number from 1, not {shown(self.ns_steps)}.")

    @property
    def method_kind(self) -> str:
        """Where it does not train hidden layers only, the name says on which roles it is used."""
        hidden = set(self.takes) <= {*_HIDDEN, "other"}
        return "Muon" if hidden else f"Muon on {', '.join(self.takes)}"

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in `state.hyperparams`."""
        return inject_only_rate(
            contrib.muon,
            self.learning_rate,
            beta=self.momentum,
            ns_steps=self.ns_steps,
            adam_b1=self.adam_beta1,
            adam_b2=self.adam_beta2,
            muon_weight_dimension_numbers=self._matrices,
        )

    def _matrices(self, params: optax.Params) -> optax.Params:
        """How each leaf is a matrix, None for those that Adam trains."""

        def axes(path: str, leaf: Any) -> contrib.MuonDimensionNumbers | None:
            # Biases of attention are matrices too: heads x width.
            is_bias = path.split("/")[-1] == "bias"
            if isinstance(leaf, optax.MaskedNode) or leaf.ndim < 2 or is_bias:
                return None
            if role_of(path, self.rules) not in self.takes:
                return None
            split = heads_split(path, leaf) or leaf.ndim - 1
            return contrib.MuonDimensionNumbers(tuple(range(split)), tuple(range(split, leaf.ndim)))

        return by_path(axes, params)
