"""Zipf's law, groups of classes of similar frequency, and means over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from optexp_jax.shapes import Float, Integer


def zipf_law(num_classes: int, power: float) -> Float[np.ndarray, " {num_classes}"]:
    """Frequencies π_k ∝ 1 / k^power for k = 1 .. num_classes, float64 `[num_classes]`.

    >>> zipf_law(3, 1.0).round(3)
    array([0.545, 0.273, 0.182])
    """
    weights = np.arange(1, num_classes + 1) ** -float(power)
    return weights / weights.sum()


def frequency_groups(
    class_counts: ArrayLike, n_groups: int
) -> tuple[Integer[np.ndarray, " _members"], ...]:
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
    counts, n_groups = _whole(class_counts), at_least_one("n_groups", n_groups)
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    running = np.cumsum(counts[order])
    total = int(running[-1]) if len(running) else 0
    # Share i / n is reached where running · n >= i · total; ceil keeps this exact without products
    # that could overflow.
    needed = [-(-i * total // n_groups) for i in range(1, n_groups)]
    cuts = np.searchsorted(running, needed, side="left") + 1
    return tuple(np.split(order, np.minimum(cuts, len(order))))


def _whole(class_counts: ArrayLike) -> np.ndarray:
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
    per_class: ArrayLike, class_counts: ArrayLike, groups: Sequence[ArrayLike]
) -> Float[np.ndarray, "*rows {len(groups)}"]:
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
    values, counts = np.asarray(per_class), _whole(class_counts)
    if values.shape[-1:] != counts.shape:
        raise ValueError(
            f"There is one mean per class in the last axis: the means are {values.shape}, the "
            f"class counts {counts.shape}."
        )
    means = np.full((*values.shape[:-1], len(groups)), np.nan)
    for i, group in enumerate(groups):
        indices = _members(i, group, len(counts))
        seen = indices[counts[indices] > 0]
        if len(seen):
            weights = counts[seen].astype(np.float64)
            means[..., i] = values[..., seen] @ (weights / weights.sum())
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


def at_least_one(name: str, value: object) -> int:
    """A whole number from 1, or a sentence that names what is none."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} is an integer from 1, not {value!r}.")
    return int(value)
