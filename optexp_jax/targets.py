"""Kinds of labels: classes, or vectors with a number for each output.

A data set whose labels are vectors says which by `targets`; a loss or a metric says by `takes`
which it can read. Nothing said means classes.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from optexp_jax.per_class import class_indices
from optexp_jax.shapes import Array, Bool, Float, Integer, Shaped

CLASSES = "classes"  # integers; -1 marks padding
DISTRIBUTIONS = "distributions"  # floats `[..., num_classes]` from 0 that sum to 1
SETS = "sets"  # 0 or 1 for each class, of which an example may have several
VECTORS = "vectors"  # any floats: regression
KINDS = (CLASSES, DISTRIBUTIONS, SETS, VECTORS)
BY_CLASS = (CLASSES, DISTRIBUTIONS)  # an example is of one class: that of the largest share


def targets_of(dataset: Any) -> str:
    """The kind of labels of a data set, from its `targets`."""
    return getattr(dataset, "targets", CLASSES)


def taken_by(reader: Any) -> tuple[str, ...]:
    """The kinds of labels that a loss or a metric accepts, from its `takes`."""
    return tuple(getattr(reader, "takes", (CLASSES,)))


def are_vectors(labels: Any) -> bool:
    """Return whether labels, or their shape, have a number for each output; NaN is padding."""
    return jnp.issubdtype(labels.dtype, jnp.floating)


def are_vectors_like(logits: Shaped[Array, "*shape"], labels: Any) -> bool:
    """Whether labels are vectors of these outputs: floats `[...]` are no labels at all."""
    return are_vectors(jnp.asarray(labels)) and jnp.ndim(labels) == logits.ndim


def is_example(labels: Shaped[Array, "*shape"]) -> Bool[jax.Array, "*batch"]:
    """Where labels are no padding, booleans; without the last axis where labels are vectors.

    >>> print(is_example(jnp.array([2, -1])), is_example(jnp.array([[0.5], [jnp.nan]])))
    [ True False] [ True False]
    """
    return ~jnp.isnan(labels[..., 0]) if are_vectors(labels) else labels >= 0


def class_of(labels: Shaped[Array, "*shape"]) -> Integer[jax.Array, "*batch"]:
    """The class of each example, int32: the first of the largest shares; -1 for padding.

    >>> print(class_of(jnp.array([[0.25, 0.75], [jnp.nan, jnp.nan]])))
    [ 1 -1]
    """
    if not are_vectors(labels):
        return class_indices(labels)
    return jnp.where(is_example(labels), jnp.argmax(labels, axis=-1).astype(jnp.int32), -1)


def without_padding(
    labels: Float[Array, "*batch outputs"],
) -> Float[jax.Array, "*batch outputs"]:
    """Vectors with zeros in place of padding, so that no gradient is NaN."""
    return jnp.where(is_example(labels)[..., None], labels, 0)


def as_stored(labels: Shaped[Array, "*shape"]) -> Shaped[Array, "*shape"]:
    """Labels as losses take them: classes as int32."""
    return labels if are_vectors(labels) else labels.astype(jnp.int32)


def padding_of(labels: Shaped[Array, "*shape"]) -> Any:
    """The value that marks padding."""
    return jnp.nan if are_vectors(labels) else -1
