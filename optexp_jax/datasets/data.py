"""What a data set is to the rest of the library."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Protocol

import jax
import numpy as np

Array = np.ndarray | jax.Array


@dataclasses.dataclass(frozen=True)
class Split:
    """Inputs and labels of one part of a data set.

    Args:
        inputs: `[n, ...]`; integers `[n]` are the indices of one-hot vectors.
        labels: classes, int32 `[n]` or `[n, time]`; -1 marks padding.
    """

    inputs: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)


@dataclasses.dataclass(frozen=True)
class Data:
    """A data set in memory.

    Args:
        train: what is optimised.
        class_counts: examples of each class among the training targets, int64 `[num_classes]`.
        validation: held-out part; None where the paper validates on the training set.
    """

    train: Split
    class_counts: np.ndarray
    validation: Split | None = None


class Dataset(Protocol):
    """A frozen value that can load itself."""

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        ...

    @property
    def num_groups(self) -> int:
        """Number of frequency groups that figures show unless told otherwise."""
        ...

    def load(self, workspace: Path) -> Data:
        """The data, from the workspace where they are files."""
        ...

    def groups(
        self, class_counts: np.ndarray, n_groups: int | None = None
    ) -> tuple[np.ndarray, ...]:
        """Groups of classes by frequency, most frequent first."""
        ...


def counts_of(labels: Array, num_classes: int) -> np.ndarray:
    """Examples of each class, int64 `[num_classes]`; padding is not counted.

    >>> counts_of(np.array([0, 2, 2, -1]), 3)
    array([1, 0, 2])
    """
    flat = np.asarray(labels).ravel()
    return np.bincount(flat[flat >= 0], minlength=num_classes).astype(np.int64)
