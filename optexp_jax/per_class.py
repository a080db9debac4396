"""Sums by class, and groups of classes of similar frequency. Needs jax and numpy only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from optexp_jax import backend

# Values of a piece, and how many at least for each class: pieces cost their number of classes.
_PIECE, _PER_CLASS = 1 << 10, 4
# Until jaxlib 0.11.0, threads of a GPU that add to one place wait for each other: hundreds of times
# as long as it takes to compare every label with every class. Later versions add faster.
_SLOW_TO_ADD = [int(n) for n in re.findall(r"\d+", version("jaxlib"))[:3]] <= [0, 11, 0]


def sum_by_class(
    values: ArrayLike, labels: ArrayLike, num_classes: int
) -> tuple[jax.Array, jax.Array]:
    """Sum of the values, and number of examples, of every class: (Σ_{i: y_i = k} v_i, n_k).

    Examples whose label is outside 0 .. num_classes - 1 are left out, so a label of -1 marks
    padding. A class with an infinite value or a NaN has the sum that IEEE 754 gives it, and the
    others do not notice.

    Args:
        values: one value per example, any shape. Those in bfloat16 and float16 are summed in
            float32, booleans (0 and 1) and integers of less than 32 bits in int32, all others in
            their own type. Sums of millions of values are exact to a few 1e-5.
        labels: class of each example, integers of any type, of the same shape.
        num_classes: number of classes, at least 1.

    Returns:
        sums and int32 counts, both `[num_classes]`.

    Raises:
        TypeError: the labels are not integers.
        ValueError: the shapes differ, there is no class, or values do not fit into 32 bits.

    >>> sums, counts = sum_by_class(jnp.array([0.5, 1.0, 2.0]), jnp.array([1, 1, -1]), 3)
    >>> print(sums, counts)
    [0.  1.5 0. ] [0 2 0]
    """
    values, labels = _summable(values), class_indices(labels)
    if values.shape != labels.shape:
        raise ValueError(
            f"There is one value per label: values are {values.shape}, labels {labels.shape}."
        )
    num_classes = _at_least_one("num_classes", num_classes)
    segment = jnp.where((labels >= 0) & (labels < num_classes), labels, num_classes).ravel()
    ones = jnp.ones(segment.shape, jnp.int32)
    if backend.form() == "gpu" and _SLOW_TO_ADD:
        by_class = segment[:, None] == jnp.arange(num_classes)
        # Summed where they are compared: no array of examples times classes is stored.
        masked = (jnp.where(by_class, array[:, None], 0) for array in (values.ravel(), ones))
        sums, counts = (array.sum(0, dtype=array.dtype) for array in masked)
        return sums, counts
    sums = _segment_sum(values.ravel(), segment, num_classes + 1)
    counts = jax.ops.segment_sum(ones, segment, num_classes + 1)
    return sums[:num_classes], counts[:num_classes]


def class_indices(labels: ArrayLike) -> jax.Array:
    """Labels as int32: one that int32 cannot hold becomes the nearest that it can.

    So no class appears or vanishes by a cast, not even where JAX keeps 32 bits of a NumPy int64.

    Args:
        labels: integers of any type, any shape.

    Returns:
        int32 of the same shape.

    Raises:
        TypeError: the labels are not integers.

    >>> print(class_indices(np.array([255, 2**32, -(2**40)])))
    [        255  2147483647 -2147483648]
    """
    raw = labels if isinstance(labels, jax.Array) else np.asarray(labels)
    if not jnp.issubdtype(raw.dtype, jnp.integer):
        raise TypeError(
            f"Labels are integers, not {raw.dtype}: convert them with labels.astype(np.int32)."
        )
    numeric = jnp if isinstance(raw, jax.Array) else np
    given, held = jnp.iinfo(raw.dtype), jnp.iinfo(jnp.int32)
    if given.max > held.max:
        raw = numeric.minimum(raw, held.max)
    if given.min < held.min:
        raw = numeric.maximum(raw, held.min)
    return jnp.asarray(raw.astype(jnp.int32))


def _summable(values: ArrayLike) -> jax.Array:
    """Values in a type that holds their sums."""
    raw = values if isinstance(values, jax.Array) else np.asarray(values)
    array = jnp.asarray(raw)
    if jnp.issubdtype(array.dtype, jnp.floating):
        return array.astype(jnp.float32) if jnp.finfo(array.dtype).bits < 32 else array
    if array.dtype == jnp.bool_:
        return array.astype(jnp.int32)
    if not jnp.issubdtype(array.dtype, jnp.integer):
        return array
    kept = jnp.iinfo(array.dtype)
    same = array.dtype == raw.dtype or raw.size == 0
    if not same and not (kept.min <= raw.min() and raw.max() <= kept.max):
        raise ValueError(
            f"The values need the 64 bits of {raw.dtype}, and JAX keeps 32 of them: convert them "
            "to floats, or set jax_enable_x64."
        )
    return array.astype(jnp.int32) if kept.bits < 32 else array


def _at_least_one(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} is an integer from 1, not {value!r}.")
    return int(value)


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
        grown = total + new
        # Infinity less infinity is no rounding error.
        return (grown, jnp.where(jnp.isfinite(grown), (grown - total) - new, 0)), None

    # Zeros made from both vary over the same axes of a shard_map as the sums of the pieces.
    zeros = jnp.zeros_like(values, shape=number) + jnp.zeros_like(segment, values.dtype, number)
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
        ValueError: counts that are negative, not whole or no numbers, or fewer than one group.

    >>> frequency_groups([4, 1, 1, 2], 2)
    (array([0]), array([3, 1, 2]))

    Source: the paper, section A.5 (the groups of every per-class figure).
    """
    counts, n_groups = _whole(class_counts), _at_least_one("n_groups", n_groups)
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
    numbers = raw.ndim == 1 and raw.dtype.kind in "iuf"
    with np.errstate(invalid="ignore"):  # NaN and infinity are refused below
        counts = raw.astype(np.int64) if numbers else np.array([-1])
    if (counts < 0).any() or (counts != raw).any() or counts.sum(dtype=np.float64) >= 2**63:
        raise ValueError(
            "Class counts are a list of whole numbers from 0, one per class, whose sum is below "
            "2^63."
        )
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

    Raises:
        ValueError: the means are not one per class, counts that `frequency_groups` refuses, or a
            group holds what is no class.

    >>> groups = [np.array([0]), np.array([1, 2])]
    >>> mean_by_group(np.array([1.0, 2.0, 4.0]), np.array([2, 1, 1]), groups)
    array([1., 3.])
    """
    per_class, counts = np.asarray(per_class), _whole(class_counts)
    if per_class.shape[-1:] != counts.shape:
        raise ValueError(
            f"There is one mean per class in the last axis: the means are {per_class.shape}, the "
            f"class counts {counts.shape}."
        )
    means = np.full((*per_class.shape[:-1], len(groups)), np.nan)
    for i, group in enumerate(groups):
        indices = _members(i, group, len(counts))
        seen = indices[counts[indices] > 0]
        if len(seen):
            weights = counts[seen].astype(np.float64)
            means[..., i] = per_class[..., seen] @ (weights / weights.sum())
    return means


def _members(number: int, group: ArrayLike, num_classes: int) -> np.ndarray:
    """The classes of a group as indices."""
    raw = np.asarray(group)
    indices = raw.astype(np.intp) if raw.size == 0 else raw
    if raw.ndim != 1 or indices.dtype.kind not in "iu" or ((raw < 0) | (raw >= num_classes)).any():
        raise ValueError(
            f"Group {number} is a list of indices from 0 to {num_classes - 1}, as frequency_groups "
            f"returns it, not {np.array2string(raw.ravel(), threshold=8, edgeitems=2)}."
        )
    return indices
