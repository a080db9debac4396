"""Examples by class: how many there are, which they are, and groups of classes by frequency."""

from __future__ import annotations

import numpy as np

from optexp_jax.datasets.data import Array, Split
from optexp_jax.per_class import frequency_groups
from optexp_jax.targets import CLASSES, SETS, VECTORS

_CHUNK = 1 << 24


class ByFrequency:
    """A data set whose classes are grouped by their frequency."""

    num_groups = 10

    def groups(
        self, class_counts: np.ndarray, n_groups: int | None = None
    ) -> tuple[np.ndarray, ...]:
        """Groups of classes with about as many examples each, most frequent classes first.

        Args:
            class_counts: examples of each class, `[num_classes]`.
            n_groups: number of groups, None for `num_groups`.
        """
        return frequency_groups(class_counts, n_groups or self.num_groups)


def counts_of(labels: Array, num_classes: int, targets: str = CLASSES) -> np.ndarray:
    """Examples of each class, int64 `[num_classes]`; labels of no class are not counted.

    Args:
        labels: integers `[n, ...]`; or `[n, ..., num_classes]` for other targets.
        num_classes: number of classes.
        targets: what the labels are. Of distributions the class with the largest share is counted,
            of sets each; of vectors all examples for each number.

    >>> counts_of(np.array([0, 2, 2, -1]), 3)
    array([1, 0, 2])
    """
    if targets != CLASSES:
        return _counts_of_vectors(np.asarray(labels), num_classes, targets)
    rows = np.asarray(labels)
    step = max(1, _CHUNK // max(1, rows[:1].size))  # mapped labels are never whole in memory
    counts = np.zeros(num_classes, np.int64)
    for start in range(0, len(rows), step):
        flat = rows[start : start + step].ravel()
        known = flat[(flat >= 0) & (flat < num_classes)]
        counts += np.bincount(known.astype(np.int64), minlength=num_classes)
    return counts


def _counts_of_vectors(labels: np.ndarray, num_classes: int, targets: str) -> np.ndarray:
    rows = labels.reshape(-1, num_classes)
    if targets == VECTORS:
        return np.full(num_classes, len(rows), np.int64)
    if targets == SETS:
        return rows.astype(bool).sum(axis=0, dtype=np.int64)
    return np.bincount(rows.argmax(axis=1), minlength=num_classes)


def labels_of(class_counts: np.ndarray) -> np.ndarray:
    """Labels with these counts, class after class, int32.

    >>> labels_of(np.array([2, 1]))
    array([0, 0, 1], dtype=int32)
    """
    return np.repeat(np.arange(len(class_counts), dtype=np.int32), class_counts)


def members(labels: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Examples by class: their indices, and where each class starts and how many it has.

    >>> members(np.array([1, 0, 1]), 2)
    (array([1, 0, 2]), array([0, 1]), array([1, 2]))
    """
    counts = np.bincount(labels, minlength=num_classes)
    return np.argsort(labels, kind="stable"), np.cumsum(counts) - counts, counts


def rank_in_class(labels: np.ndarray) -> np.ndarray:
    """How many examples of the same class come before each.

    >>> rank_in_class(np.array([1, 0, 1, 1, 0]))
    array([0, 0, 1, 2, 1])
    """
    order, starts, _ = members(labels, 0)
    ranks = np.empty(len(labels), np.int64)
    ranks[order] = np.arange(len(labels)) - starts[labels[order]]
    return ranks


def first_of_each(split: Split, k: int) -> Split:
    """The first k examples of each class in their order, class after class.

    >>> first_of_each(Split(np.arange(6), np.array([1, 0, 1, 1, 0, 0])), 2).inputs
    array([1, 4, 0, 2])
    """
    labels = np.asarray(split.labels)
    order = np.argsort(labels, kind="stable")
    kept = order[rank_in_class(labels)[order] < k]
    return Split(np.asarray(split.inputs)[kept], labels[kept])
