"""The update directions of the paper that optax lacks, as gradient transformations.

Norms are computed in float32 or better for any dtype of the gradient, and every direction of a
zero gradient is zero. A gradient with a NaN or an infinite entry has no direction: those that
depend on a norm of it are NaN or infinite in every entry, so that it is noticed at once. Complex
gradients are vectors of complex entries with norms of their absolute values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from optexp_jax.optim.roles import by_path, heads_split

_ADAGRAD_EPS = 1e-10


def _accumulator(leaf: jax.Array) -> jax.Array:
    leaf = jnp.asarray(leaf)
    return leaf.astype(jnp.promote_types(leaf.dtype, jnp.float32))


def _largest(tree: optax.Updates) -> jax.Array:
    return jax.tree.reduce(
        jnp.maximum,
        jax.tree.map(lambda g: jnp.max(jnp.abs(_accumulator(g)), initial=0), tree),
        jnp.zeros(()),
    )


def _total(of: Callable[[jax.Array], jax.Array], tree: optax.Updates) -> jax.Array:
    sums = jax.tree.map(lambda g: jnp.sum(of(_accumulator(g))), tree)
    return jnp.asarray(optax.tree.sum(sums) if jax.tree.leaves(sums) else 0.0)


def _square(x: jax.Array) -> jax.Array:
    """|x|², real."""
    return x.real**2 + x.imag**2 if jnp.iscomplexobj(x) else x**2


def l1_norm(tree: optax.Updates) -> jax.Array:
    """Sum of absolute values over all leaves, a real scalar in float32 or better, 0 for none."""
    return _total(jnp.abs, tree)


def l2_norm(tree: optax.Updates) -> jax.Array:
    """Euclidean norm over all leaves as one vector, a real scalar in float32 or better, 0 for none.

    >>> print(l2_norm({"w": jnp.array([3.0]), "b": jnp.array([4.0])}))
    5.0
    """
    return jnp.sqrt(_total(_square, tree))


def _normalized(tree: optax.Updates) -> optax.Updates:
    # Dividing by the largest entry first keeps the squares of tiny gradients from vanishing. Only
    # zeros are divided by 1: a NaN or an infinite entry makes all of the direction NaN.
    largest = _largest(tree)
    scaled = jax.tree.map(lambda g: _accumulator(g) / jnp.where(largest == 0, 1, largest), tree)
    norm = l2_norm(scaled)
    return jax.tree.map(
        lambda s, g: (s / jnp.where(norm == 0, 1, norm)).astype(g.dtype), scaled, tree
    )


def _normalized_leaf(leaf: jax.Array) -> jax.Array:
    return jnp.asarray(_normalized(leaf))


def normalize_by_norm() -> optax.GradientTransformation:
    """Divide the gradient by its L2 norm, all leaves as one vector: d = g / ‖g‖₂, and 0 for g = 0.

    Returns:
        a stateless transformation; updates keep the dtypes of the gradient.

    >>> tx = normalize_by_norm()
    >>> print(tx.update(jnp.array([3.0, 4.0]), tx.init(None))[0])
    [0.6 0.8]

    Source: the paper, normalised gradient descent (section 2.3).
    """
    return optax.stateless(lambda updates, params: _normalized(updates))


def normalize_by_block_norm() -> optax.GradientTransformation:
    """Divide every leaf by its own L2 norm: d_i = g_i / ‖g_i‖₂, and 0 for g_i = 0.

    Returns:
        a stateless transformation; updates keep the dtypes of the gradient.
    """
    return optax.stateless(lambda updates, params: jax.tree.map(_normalized, updates))


def normalize_by_column_norm() -> optax.GradientTransformation:
    """Divide every column of a kernel, the weights of an output, by its own L2 norm; 0 stays 0.

    Columns lie along the last axis; in a kernel of attention along its heads and width. A vector
    is one column.

    Returns:
        a stateless transformation; updates keep the dtypes of the gradient.

    >>> tx = normalize_by_column_norm()
    >>> print(tx.update(jnp.array([[3.0, 0.0], [4.0, 2.0]]), tx.init(None))[0])
    [[0.6 0. ]
     [0.8 1. ]]
    """

    def of_leaf(path: str, leaf: jax.Array) -> jax.Array:
        inputs = leaf.shape[: heads_split(path, leaf) or -1] if leaf.ndim > 1 else leaf.shape
        columns = leaf.reshape(math.prod(inputs), -1)
        return jnp.reshape(jax.vmap(_normalized_leaf, 1, 1)(columns), leaf.shape)

    return optax.stateless(lambda updates, params: by_path(of_leaf, updates))


def scale_sign_by_l1_norm() -> optax.GradientTransformation:
    """Sign of the gradient times its L1 norm over all leaves: d = ‖g‖₁ sign(g).

    Returns:
        a stateless transformation; updates keep the dtypes of the gradient.

    Source: the authors' code (not in the paper's text).
    """

    def update(updates: optax.Updates, params: optax.Params | None) -> optax.Updates:
        del params
        norm = l1_norm(updates)
        return jax.tree.map(lambda g: (jnp.sign(g) * norm).astype(g.dtype), updates)

    return optax.stateless(update)


class ScaleByAdagradState(NamedTuple):
    """State of `scale_by_adagrad`."""

    sum_of_squares: optax.Updates  # shaped like the parameters, same dtypes but real


def scale_by_adagrad(eps: float = _ADAGRAD_EPS) -> optax.GradientTransformation:
    """Divide by the root of the summed squares: s += g², d = g / (√s + eps), and 0 where s is 0.

    `optax.scale_by_rss` keeps eps inside the root, which is a different method for small gradients.

    Args:
        eps: added to the root, not under it.

    Returns:
        a transformation with state `ScaleByAdagradState`.

    Source: Duchi et al. 2011, as the authors' code runs it.
    """

    def init(params: optax.Params) -> ScaleByAdagradState:
        return ScaleByAdagradState(jax.tree.map(jnp.real, optax.tree.zeros_like(params)))

    def scale(gradient: jax.Array, squares: jax.Array) -> jax.Array:
        root = jnp.sqrt(squares) + jnp.asarray(eps, squares.dtype)
        zero = root == 0  # and not NaN, which the direction of a NaN is
        return jnp.where(zero, 0, gradient / jnp.where(zero, 1, root)).astype(gradient.dtype)

    def update(
        updates: optax.Updates, state: Any, params: optax.Params | None = None
    ) -> tuple[optax.Updates, ScaleByAdagradState]:
        del params
        squares = jax.tree.map(
            lambda s, g: (s + jnp.real(g * jnp.conj(g))).astype(s.dtype),
            state.sum_of_squares,
            updates,
        )
        return jax.tree.map(scale, updates, squares), ScaleByAdagradState(squares)

    return optax.GradientTransformation(init, update)
