"""Groups of classes by frequency, class after class, in fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def groups(class_counts: Sequence[int], n_splits: int) -> list[list[int]]:
    """Most frequent classes first; a group ends with the class that reaches its share."""
    order = sorted(range(len(class_counts)), key=lambda k: -class_counts[k])
    found: list[list[int]] = [[] for _ in range(n_splits)]
    seen = Fraction(0)
    for k in order:
        # Group i holds the classes that start at a share from i / n to below (i + 1) / n.
        found[int(seen * n_splits)].append(k)
        seen += Fraction(class_counts[k], sum(class_counts))
    return found
