"""Adam-mini and Adalayer: Adam with one second moment for each block of parameters."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import optax

from optexp_jax.optim.base import Appearance
from optexp_jax.optim.injection import at_rate
from optexp_jax.optim.learning_rate import LearningRate
from optexp_jax.optim.modifiers import DecayModifiers
from optexp_jax.optim.roles import Rules, by_path, check_rules, heads_split, role_of
from optexp_jax.optim.spec_checks import check_below_one
from optexp_jax.registry import register


@register("AdamMini")
@dataclasses.dataclass(frozen=True, repr=False)
class AdamMini(DecayModifiers):
    """Adam-mini: Adam with one second moment for each block, the mean of its squared gradients.

    A block is a head of query and key, a token of an embedding, the scale of a norm, and all
    weights of an output neuron anywhere else; each entry of a bias is one.

    Args:
        learning_rate: the learning rate.
        beta1: weight of earlier gradients.
        beta2: weight of earlier squares.
        eps: added to the root of the squares.
        rules: roles of leaves by path, which come before those of `role_of`.

    Source: Zhang et al., Adam-mini: Use fewer learning rates to gain more, 2024.
    """

    learning_rate: LearningRate
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    rules: Rules = ()

    appearance: ClassVar[Appearance] = Appearance("Adam-mini", "#117733", "$A$")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_below_one(self, "beta1", "beta2")
        object.__setattr__(self, "rules", check_rules(self, self.rules))

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in `state.hyperparams`."""
        directions = scale_by_adam_mini(self.beta1, self.beta2, self.eps, self.rules)
        return at_rate(directions, self.learning_rate)


@register("Adalayer")
@dataclasses.dataclass(frozen=True, repr=False)
class Adalayer(DecayModifiers):
    """Adalayer: Adam with one second moment for each leaf, the mean of its squared gradients.

    Args:
        learning_rate: the learning rate.
        beta1: weight of earlier gradients.
        beta2: weight of earlier squares.
        eps: added to the root of the squares.

    Source: Zhao et al., Deconstructing what makes a good optimizer for language models, 2024.
    """

    learning_rate: LearningRate
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    appearance: ClassVar[Appearance] = Appearance("Adalayer", "#882255", "$Y$")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_below_one(self, "beta1", "beta2")

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in `state.hyperparams`."""
        directions = scale_by_block_adam(_every_axis, self.beta1, self.beta2, self.eps)
        return at_rate(directions, self.learning_rate)


def _every_axis(path: str, leaf: Any) -> tuple[int, ...]:
    del path
    return tuple(range(leaf.ndim))


class AdamMiniState(NamedTuple):
    """State of `scale_by_adam_mini`, in float32 or better."""

    steps: jax.Array  # int32 [], gradients seen
    m: optax.Updates
    v: optax.Updates  # one for each block: axes of a block have length 1


def scale_by_adam_mini(
    beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, rules: Rules = ()
) -> optax.GradientTransformation:
    """Directions of Adam-mini; see the class for its arguments.

    >>> tx, w = scale_by_adam_mini(), {"kernel": jnp.zeros((2, 1))}
    >>> updates, state = tx.update({"kernel": jnp.array([[0.0], [2.0]])}, tx.init(w))
    >>> print(state.v["kernel"].shape, updates["kernel"].ravel().round(3))
    (1, 1) [0.    1.414]
    """

    return scale_by_block_adam(functools.partial(block_axes, rules=rules), beta1, beta2, eps)


def scale_by_block_adam(
    axes: Callable[[str, Any], tuple[int, ...]], beta1: float, beta2: float, eps: float
) -> optax.GradientTransformation:
    """Directions of Adam with one second moment for each block.

    Args:
        axes: of the path and the array of a leaf, the axes along which a block extends.
        beta1: weight of earlier gradients.
        beta2: weight of earlier squares.
        eps: added to the root of the squares.
    """

    def squares(path: str, g: jax.Array) -> jax.Array:
        return jnp.mean(_wide(g) ** 2, axes(path, g), keepdims=True)

    def init(params: optax.Params) -> AdamMiniState:
        m = jax.tree.map(lambda w: _wide(w) * 0, params)
        return AdamMiniState(jnp.zeros([], jnp.int32), m, by_path(squares, m))

    def update(
        updates: optax.Updates, state: Any, params: optax.Params | None = None
    ) -> tuple[optax.Updates, Any]:
        del params
        steps = jnp.asarray(optax.safe_increment(state.steps))
        means = by_path(squares, updates)
        m = jax.tree.map(lambda old, g: beta1 * old + (1 - beta1) * _wide(g), state.m, updates)
        v = jax.tree.map(lambda old, new: beta2 * old + (1 - beta2) * new, state.v, means)

        def direction(g: jax.Array, m: jax.Array, v: jax.Array) -> jax.Array:
            count = steps.astype(m.dtype)
            root = jnp.sqrt(v / (1 - beta2**count)) + eps
            return (m / (1 - beta1**count) / root).astype(g.dtype)

        return jax.tree.map(direction, updates, m, v), AdamMiniState(steps, m, v)

    return optax.GradientTransformation(init, update)


def block_axes(path: str, leaf: Any, rules: Rules = ()) -> tuple[int, ...]:
    """The axes of a leaf along which a block extends.

    Args:
        path: of the leaf, such as `block_0/attention/query/kernel`.
        leaf: its array; the last axis of a kernel are its outputs.
        rules: see `role_of`.

    >>> kernel = jnp.zeros((6, 2, 3))  # inputs, heads, width
    >>> block_axes("attention/query/kernel", kernel), block_axes("attention/value/kernel", kernel)
    ((0, 2), (0,))
    """
    name, role, every = path.split("/")[-1], role_of(path, rules), tuple(range(leaf.ndim))
    if name == "bias":
        return ()
    if role == "norm":
        return every
    if role == "qk" and leaf.ndim == 3:
        return (0, 2)
    if role == "embedding" and name != "kernel":
        return every[1:]
    return every[: heads_split(path, leaf) or -1]


def _wide(leaf: Any) -> jax.Array:
    leaf = jnp.asarray(leaf)
    return leaf.astype(jnp.promote_types(leaf.dtype, jnp.float32))
