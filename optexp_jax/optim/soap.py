"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import optax

from optexp_jax.optim.base import Appearance
from optexp_jax.optim.injection import at_rate
from optexp_jax.optim.learning_rate import LearningRate, shown
from optexp_jax.optim.modifiers import DecayModifiers
from optexp_jax.optim.roles import by_path, heads_split
from optexp_jax.optim.spec_checks import check_below_one
from optexp_jax.registry import register

_NORM_EPS = 1e-30


@register("SOAP")
@dataclasses.dataclass(frozen=True, repr=False)
class SOAP(DecayModifiers):
    """SOAP: Adam in the eigenbasis of Shampoo's preconditioner, averages of G Gᵀ and Gᵀ G.

    The first gradient finds the basis and moves nothing. Vectors and biases are trained by Adam; a
    kernel of attention is a matrix, that of a convolution has a basis for each axis.

    Args:
        learning_rate: the learning rate.
        beta1: weight of earlier gradients.
        beta2: weight of earlier squares in the eigenbasis.
        shampoo_beta: weight of earlier preconditioners, None for beta2.
        eps: added to the root of the squares.
        precondition_frequency: steps between refreshes of the basis, one step of a power iteration
            and a QR decomposition each.
        max_precondition_dim: an axis that is longer has no basis.
        precondition_1d: whether vectors have a basis, too.
        normalize_grads: whether each leaf's direction is divided by its root mean square.
        correct_bias: whether averages are corrected for their start at zero.

    Source: Vyas et al., SOAP: Improving and stabilizing Shampoo using Adam, 2024.
    """

    learning_rate: LearningRate
    beta1: float = 0.95
    beta2: float = 0.95
    shampoo_beta: float | None = None
    eps: float = 1e-8
    precondition_frequency: int = 10
    max_precondition_dim: int = 10_000
    precondition_1d: bool = False
    normalize_grads: bool = False
    correct_bias: bool = True

    appearance: ClassVar[Appearance] = Appearance("SOAP", "#AA4499", "$Q$")

    def __post_init__(self) -> None:
        super().__post_init__()
        averages = ("beta1", "beta2", "shampoo_beta")
        check_below_one(self, *(a for a in averages if getattr(self, a) is not None))
        for name in ("precondition_frequency", "max_precondition_dim"):
            number = getattr(self, name)
            if type(number) is not int or number < 1:
                raise ValueError(f"SOAP.{name} is a whole number from 1, not {shown(number)}.")

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in `state.hyperparams`."""
        names = {f.name for f in dataclasses.fields(DecayModifiers)} | {"learning_rate"}
        fields = [f.name for f in dataclasses.fields(self) if f.name not in names]
        constants = {name: getattr(self, name) for name in fields}
        return at_rate(scale_by_soap(**constants), self.learning_rate)


class SoapState(NamedTuple):
    """State of `scale_by_soap`: of leaves as they are preconditioned, in float32 or better."""

    steps: jax.Array  # int32 [], gradients seen
    m: optax.Updates
    v: optax.Updates  # in the eigenbasis
    grams: Any  # of each leaf, a matrix for each axis with a basis
    bases: Any  # the same, their eigenvectors as columns


class _Leaf(NamedTuple):
    """The state of one leaf."""

    m: jax.Array
    v: jax.Array
    grams: tuple[jax.Array, ...]
    bases: tuple[jax.Array, ...]


def scale_by_soap(
    beta1: float = 0.95,
    beta2: float = 0.95,
    shampoo_beta: float | None = None,
    eps: float = 1e-8,
    precondition_frequency: int = 10,
    max_precondition_dim: int = 10_000,
    precondition_1d: bool = False,
    normalize_grads: bool = False,
    correct_bias: bool = True,
) -> optax.GradientTransformation:
    """Directions of SOAP; see the class for its arguments.

    >>> tx, w = scale_by_soap(), jnp.zeros((2, 2))
    >>> gradient = jnp.array([[3.0, 0.0], [0.0, 1.0]])
    >>> first, state = tx.update(gradient, tx.init(w))
    >>> print(first.any(), tx.update(gradient, state)[0].round(3).tolist())
    False [[1.0, 0.0], [0.0, 1.0]]
    """
    gram_weight = beta2 if shampoo_beta is None else shampoo_beta

    def axes_of(shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) < 2 and not precondition_1d:
            return ()
        return tuple(axis for axis, size in enumerate(shape) if size <= max_precondition_dim)

    def init(params: optax.Params) -> SoapState:
        def start(path: str, leaf: jax.Array) -> _Leaf:
            zero = _viewed(path, leaf) * 0
            squares = tuple(
                jnp.zeros((n, n), zero.dtype) for n in (zero.shape[a] for a in axes_of(zero.shape))
            )
            return _Leaf(zero, zero, squares, squares)

        return _state(jnp.zeros([], jnp.int32), by_path(start, params), params)

    def averaged(g: jax.Array, grams: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        products = [_gram(g, axis) for axis in axes_of(g.shape)]
        return tuple(
            gram_weight * old + (1 - gram_weight) * new
            for old, new in zip(grams, products, strict=True)
        )

    def first(g: jax.Array, held: _Leaf, t: jax.Array) -> tuple[jax.Array, _Leaf]:
        del t
        grams = averaged(g, held.grams)
        return g * 0, held._replace(grams=grams, bases=tuple(map(_eigenvectors, grams)))

    def later(g: jax.Array, held: _Leaf, t: jax.Array) -> tuple[jax.Array, _Leaf]:
        axes = axes_of(g.shape)
        m = beta1 * held.m + (1 - beta1) * g
        v = beta2 * held.v + (1 - beta2) * _rotated(g, held.bases, axes) ** 2
        d = _rotated(m, held.bases, axes) / (jnp.sqrt(v) + eps)
        d = _rotated(d, tuple(basis.T for basis in held.bases), axes)
        if correct_bias:
            count = t.astype(d.dtype)
            d = d * jnp.sqrt(1 - beta2**count) / (1 - beta1**count)
        if normalize_grads:
            d = d / (jnp.sqrt(jnp.mean(d**2)) + _NORM_EPS)
        # The basis takes the gradient in after the step, so that no step uses its own.
        found = _Leaf(m, v, averaged(g, held.grams), held.bases)
        is_due = t % precondition_frequency == 0
        return d, jax.lax.cond(is_due, lambda x: _refreshed(x, axes), lambda x: x, found)

    def update(
        updates: optax.Updates, state: Any, params: optax.Params | None = None
    ) -> tuple[optax.Updates, Any]:
        del params
        t = state.steps

        def step(path: str, gradient: jax.Array, *held: Any) -> tuple[jax.Array, _Leaf]:
            g = _viewed(path, gradient)
            d, leaf = jax.lax.cond(t == 0, first, later, g, _Leaf(*held), t)
            return d.reshape(gradient.shape).astype(gradient.dtype), leaf

        found = by_path(step, updates, *state[1:])
        directions = jax.tree.map(lambda _, pair: pair[0], updates, found)
        leaves = jax.tree.map(lambda _, pair: pair[1], updates, found)
        return directions, _state(jnp.asarray(optax.safe_increment(t)), leaves, updates)

    return optax.GradientTransformation(init, update)


def _state(steps: jax.Array, leaves: Any, like: Any) -> SoapState:
    """The state of what belongs to each leaf."""
    parts = [jax.tree.map(lambda _, leaf, i=i: leaf[i], like, leaves) for i in range(4)]
    return SoapState(steps, *parts)


def _viewed(path: str, leaf: jax.Array) -> jax.Array:
    """A leaf in float32 or better, as it is preconditioned: biases are vectors."""
    leaf = jnp.asarray(leaf)
    wide = leaf.astype(jnp.promote_types(leaf.dtype, jnp.float32))
    if path.split("/")[-1] == "bias":
        return wide.reshape(-1)
    split = heads_split(path, leaf)
    if split is None:
        return wide
    return wide.reshape(math.prod(leaf.shape[:split]), math.prod(leaf.shape[split:]))


def _gram(g: jax.Array, axis: int) -> jax.Array:
    """Products of the slices along an axis, `[size, size]`."""
    others = [a for a in range(g.ndim) if a != axis]
    return jnp.tensordot(g, g, (others, others))


def _rotated(g: jax.Array, bases: tuple[jax.Array, ...], axes: tuple[int, ...]) -> jax.Array:
    """A gradient in other bases; transposed ones lead back."""
    for axis, basis in zip(axes, bases, strict=True):
        g = jnp.moveaxis(jnp.tensordot(g, basis, ((axis,), (0,))), -1, axis)
    return g


def _eigenvectors(gram: jax.Array) -> jax.Array:
    """Of the largest eigenvalue first."""
    return jnp.flip(jnp.linalg.eigh(gram)[1], 1)


def _refreshed(held: _Leaf, axes: tuple[int, ...]) -> _Leaf:
    """Bases after a step of the power iteration, the squares in their order."""
    v, bases = held.v, []
    for axis, gram, basis in zip(axes, held.grams, held.bases, strict=True):
        product = gram @ basis
        order = jnp.argsort(-jnp.sum(basis * product, 0))
        v = jnp.take(v, order, axis)
        bases.append(jnp.linalg.qr(product[:, order])[0])
    return held._replace(v=v, bases=tuple(bases))
