"""Blocks of the Hessian of a softmax output layer between chosen classes, never the whole of it."""

from __future__ import annotations

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from optexp_jax.analysis.rows import MicroBatch, OutputLayer, flat, is_example, masked
from optexp_jax.errors import OptexpError
from optexp_jax.per_class import class_indices
from optexp_jax.shapes import Float


def block_traces(
    layer: OutputLayer, batches: Iterable[MicroBatch], classes: ArrayLike
) -> Float[np.ndarray, "K K"]:
    """Traces of the Hessian's blocks between some classes.

        T_kj = mean (1[k = j] p_k - p_k p_j) ‖h‖²

    Over all classes every row of T sums to zero, T_kk >= 0 and T_kj <= 0 elsewhere.

    Args:
        layer: the output layer.
        batches: all examples in micro-batches of features and labels.
        classes: K class indices.

    Returns:
        `[K, K]`.

    Raises:
        OptexpError: no examples, or indices that are none.

    >>> layer, batch = OutputLayer(jnp.zeros((1, 2))), (jnp.array([[2.0]]), jnp.array([0]))
    >>> print(block_traces(layer, [batch], [0, 1]))
    [[ 1. -1.]
     [-1.  1.]]

    Source: the paper, figure 9 and section G.1.
    """
    return _mean(_traces, layer, batches, _chosen("classes", classes, layer.kernel.shape[1]))


def hessian_entries(
    layer: OutputLayer,
    batches: Iterable[MicroBatch],
    classes: ArrayLike,
    dimensions: ArrayLike,
) -> Float[np.ndarray, "K D K D"]:
    """Entries of the Hessian between weights of some classes and dimensions.

        H[k, a, j, b] = mean (1[k = j] p_k - p_k p_j) h_a h_b

    Args:
        layer: the output layer.
        batches: all examples in micro-batches of features and labels.
        classes: K class indices.
        dimensions: D indices of features.

    Returns:
        `[K, D, K, D]`.

    Raises:
        OptexpError: no examples, or indices that are none.

    >>> layer, batch = OutputLayer(jnp.zeros((2, 2))), (jnp.array([[2.0, 1.0]]), jnp.array([0]))
    >>> print(hessian_entries(layer, [batch], [0], [0, 1])[0, :, 0])
    [[1.   0.5 ]
     [0.5  0.25]]

    Source: the paper, figure 33.
    """
    rows = _chosen("classes", classes, layer.kernel.shape[1])
    return _mean(
        _entries, layer, batches, rows, _chosen("dimensions", dimensions, len(layer.kernel))
    )


def _chosen(name: str, indices: ArrayLike, number: int) -> jax.Array:
    raw = np.asarray(indices)
    if raw.dtype.kind not in "iu" or raw.ndim != 1 or ((raw < 0) | (raw >= number)).any():
        raise OptexpError(
            f"The {name} must be a list of indices from 0 to {number - 1}.",
            code="not-indices",
            name=name,
            number=number,
        )
    return jnp.asarray(raw)


def _mean(of, layer: OutputLayer, batches: Iterable[MicroBatch], *chosen: jax.Array) -> np.ndarray:
    total, number = 0.0, 0
    for features, given in batches:
        labels = class_indices(given)
        total = total + np.asarray(of(layer, features, labels, *chosen), np.float64)
        number += int(is_example(labels, layer.kernel.shape[-1]).sum())
    if not number:
        raise OptexpError(
            "There are no examples: give at least one label that is not padding.",
            code="no-examples",
        )
    return np.asarray(total / number)


@jax.jit
def _traces(
    layer: OutputLayer, features: jax.Array, labels: jax.Array, classes: jax.Array
) -> jax.Array:
    features, labels = flat(features, labels, layer)
    p = masked(layer.probabilities(features), labels)[:, classes]
    weighted = p * jnp.sum(features**2, axis=-1, keepdims=True)
    return jnp.diag(weighted.sum(axis=0)) - jnp.matmul(p.T, weighted, precision="highest")


@jax.jit
def _entries(
    layer: OutputLayer,
    features: jax.Array,
    labels: jax.Array,
    classes: jax.Array,
    dimensions: jax.Array,
) -> jax.Array:
    features, labels = flat(features, labels, layer)
    p = masked(layer.probabilities(features), labels)[:, classes]
    h = features[:, dimensions]
    products = (p[:, :, None] * h[:, None, :]).reshape(len(p), -1)
    outer = jnp.matmul(products.T, products, precision="highest")
    diagonal = jnp.einsum("nk,na,nb->kab", p, h, h, precision="highest")
    shape = (len(classes), len(dimensions)) * 2
    own = jnp.einsum("kj,kab->kajb", jnp.eye(len(classes)), diagonal)
    return own - outer.reshape(shape)
