"""Sums by class, and groups of classes of similar frequency. Needs jax and numpy only."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

# Values of a piece, and how many at least for each class: pieces cost their number of classes.
_PIECE, _PER_CLASS = 1 << 10, 4


def sum_by_class(
    values: ArrayLike, labels: ArrayLike, num_classes: int
) -> tuple[jax.Array, jax.Array]:
    """Sum of the values, and number of examples, of every class: (Σ_{i: y_i = k} v_i, n_k).

    Examples whose label is outside 0 .. num_classes - 1 are left out, so a label of -1 marks
    padding.

    Args:
        values: one value per example, any shape; bfloat16 and float16 are summed in float32. Sums
            of millions of values are exact to a few 1e-5.
        labels: class of each example, integers of the same shape.
        num_classes: number of classes.

    Returns:
        sums and int32 counts, both `[num_classes]`.

    Raises:
        ValueError: the shapes differ.

    >>> sums, counts = sum_by_class(jnp.array([0.5, 1.0, 2.0]), jnp.array([1, 1, -1]), 3)
    >>> print(sums, counts)
    [0.  1.5 0. ] [0 2 0]
    """
    values, labels = jnp.asarray(values), jnp.asarray(labels)
    if values.shape != labels.shape:
        raise ValueError(
            f"There is one value per label: values are {values.shape}, labels {labels.shape}."
        )
    if jnp.issubdtype(values.dtype, jnp.floating):
        values = values.astype(jnp.promote_types(values.dtype, jnp.float32))
    segment = jnp.where((labels >= 0) & (labels < num_classes), labels, num_classes).ravel()
    ones = jnp.ones(segment.shape, jnp.int32)
    sums = _segment_sum(values.ravel(), segment, num_classes + 1)
    counts = jax.ops.segment_sum(ones, segment, num_classes + 1)
    return sums[:num_classes], counts[:num_classes]


def _segment_sum(values: jax.Array, segment: jax.Array, number: int) -> jax.Array:
    """Sums of floats in pieces, with Kahan's compensation between them.

    Added one by one, a hundred thousand equal values of a class are off by a thousandth: all are
    rounded the same way once the sum is large.
    """
    size = max(_PIECE, _PER_CLASS * number)
    if values.size <= size or not jnp.issubdtype(values.dtype, jnp.floating):
        return jax.ops.segment_sum(values, segment, number)
    missing = -values.size % size
    pieces = (
        jnp.pad(values, (0, missing)).reshape(-1, size),
        jnp.pad(segment, (0, missing), constant_values=number - 1).reshape(-1, size),
    )

    def add(carry: tuple[jax.Array, jax.Array], piece: tuple[jax.Array, jax.Array]):
        total, error = carry
        new = jax.ops.segment_sum(*piece, number) - error
        return (total + new, ((total + new) - total) - new), None

    zeros = jnp.zeros(number, values.dtype)
    return jax.lax.scan(add, (zeros, zeros), pieces)[0][0]


def frequency_groups(
    class_counts: Sequence[int] | np.ndarray, n_groups: int
) -> tuple[np.ndarray, ...]:
    """Split the classes into groups that hold about the same number of examples each.

    Classes are sorted by count, most frequent first, equal counts by index. Group i ends with the
    class at which the running total reaches a share of i / n_groups, in exact integers.

    Args:
        class_counts: examples per class, `[num_classes]`, whole numbers.
        n_groups: number of groups.

    Returns:
        n_groups index arrays, most frequent classes first. A class of more than 1 / n_groups of
        the examples leaves empty groups behind it; a class without examples is in none.

    Raises:
        ValueError: counts that are negative or not whole, or fewer than one group.

    >>> frequency_groups([4, 1, 1, 2], 2)
    (array([0]), array([3, 1, 2]))

    Source: the paper, section A.5 (the groups of every per-class figure).
    """
    counts = _whole(class_counts)
    if n_groups < 1:
        raise ValueError(f"There is at least one group, not {n_groups}.")
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    running = np.cumsum(counts[order])
    total = int(running[-1]) if len(running) else 0
    # Share i / n is reached where running · n >= i · total; ceil keeps this exact without products
    # that could overflow.
    needed = [-(-i * total // n_groups) for i in range(1, n_groups)]
    cuts = np.searchsorted(running, needed, side="left") + 1
    return tuple(np.split(order, np.minimum(cuts, len(order))))


def _whole(class_counts: Sequence[int] | np.ndarray) -> np.ndarray:
    raw = np.asarray(class_counts)
    with np.errstate(invalid="ignore"):  # NaN and infinity are refused below
        counts = raw.astype(np.int64)
    if raw.ndim != 1 or (counts != raw).any() or (counts < 0).any():
        raise ValueError("Class counts are a list of whole numbers from 0, one per class.")
    return counts


def mean_by_group(
    per_class: np.ndarray, class_counts: np.ndarray, groups: Sequence[np.ndarray]
) -> np.ndarray:
    """Mean over the examples of each group, from class means.

    Args:
        per_class: class means, `[..., num_classes]`.
        class_counts: examples per class of what the means are of, `[num_classes]`; a class without
            any counts for nothing.
        groups: index arrays, as `frequency_groups` returns them.

    Returns:
        group means, `[..., n_groups]`; NaN for a group without examples.

    >>> groups = [np.array([0]), np.array([1, 2])]
    >>> mean_by_group(np.array([1.0, 2.0, 4.0]), np.array([2, 1, 1]), groups)
    array([1., 3.])
    """
    per_class, counts = np.asarray(per_class), np.asarray(class_counts)
    means = np.full((*per_class.shape[:-1], len(groups)), np.nan)
    for i, group in enumerate(groups):
        seen = group[counts[group] > 0] if len(group) else group
        if len(seen):
            weights = counts[seen].astype(np.float64)
            means[..., i] = per_class[..., seen] @ (weights / weights.sum())
    return means
