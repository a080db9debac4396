"""The interface of data sets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import jax
import numpy as np

PADDING = -1  # the label of what is no example

Array = np.ndarray | jax.Array

# (what is being done, units done, units in all or 0 if unknown): what long work reports.
Report = Callable[[str, int, int], None]


def silent(what: str, done: int, total: int) -> None:
    """A `Report` that does nothing."""


@dataclasses.dataclass(frozen=True)
class Split:
    """The inputs and labels of one part of a data set, in memory or mapped from a file.

    Args:
        inputs: `[n, ...]`; integers `[n]` are the indices of one-hot vectors, `[n, time]` tokens.
        labels: classes, integers `[n]` or `[n, time]`; -1 marks padding.
    """

    inputs: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)


class Streamed(Protocol):
    """A split too large for memory, whose examples are read from files when needed."""

    @property
    def labels(self) -> np.ndarray:
        """Classes, int32 `[n]`."""
        ...

    @property
    def example_shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        ...

    def __len__(self) -> int: ...

    def example(self, index: int, rng: np.random.Generator | None) -> np.ndarray:
        """Example `index`, uint8; augmented with random numbers of `rng`, not where it is None."""
        ...

    def to_inputs(self, examples: jax.Array) -> jax.Array:
        """Examples `[n, ...]`, uint8, as the inputs of a model, on the device.

        That of the training split is used for all parts.
        """
        ...


@dataclasses.dataclass(frozen=True)
class Data:
    """The data of a data set, ready for training.

    Args:
        train: the training part.
        class_counts: examples of each class among the training targets, int64 `[num_classes]`.
        validation: held-out part; None to validate on the training part.
        evaluation: the fixed part of the training data on which mini-batch runs measure training
            metrics; None for all of it.

    Raises:
        ValueError: one part is streamed and another is not.
    """

    train: Split | Streamed
    class_counts: np.ndarray
    validation: Split | Streamed | None = None
    evaluation: Split | Streamed | None = None

    def __post_init__(self) -> None:
        parts = [p for p in (self.train, self.validation, self.evaluation) if p is not None]
        if len({isinstance(part, Split) for part in parts}) > 1:
            raise ValueError("The parts of a data set are all in memory, or all streamed.")


@dataclasses.dataclass(frozen=True)
class Facts:
    """Facts about a data set that are known without loading it; None where unknown.

    Args:
        train: training targets (examples, or tokens of a text).
        validation: validation targets; 0 if runs validate on the training part.
        ratio: examples of the most frequent class over those of the least frequent that appears.
    """

    train: int | None = None
    validation: int | None = None
    ratio: float | None = None

    @classmethod
    def of(cls, class_counts: np.ndarray) -> Facts:
        """Of training targets with these counts, on which validation is done too.

        >>> Facts.of(np.array([4, 2, 0]))
        Facts(train=6, validation=0, ratio=2.0)
        """
        present = class_counts[class_counts > 0]
        return cls(int(present.sum()), 0, float(present.max() / present.min()))


class Dataset(Protocol):
    """The interface of a data set: a frozen value that can load itself.

    A data set in files also has the members of `InFiles`. `datasets.base` describes optional
    members and their defaults: `facts`, `shapes`, `origin`, `seed`, `vocabulary`, `num_inputs`.
    `datasets.catalogue` lists data sets.
    """

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        ...

    @property
    def num_groups(self) -> int:
        """Default number of frequency groups in figures."""
        ...

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        ...

    def load(self, workspace: Path) -> Data:
        """Load the data, from the workspace if they are files."""
        ...

    def groups(
        self, class_counts: np.ndarray, n_groups: int | None = None
    ) -> tuple[np.ndarray, ...]:
        """Groups of classes by frequency, most frequent first."""
        ...


@runtime_checkable
class CountsClasses(Protocol):
    """A data set that knows its class counts without making its inputs."""

    def class_counts(self, workspace: Path) -> np.ndarray:
        """Training targets of each class, `[num_classes]`."""
        ...


@runtime_checkable
class InFiles(Protocol):
    """Further members of a data set in files; `load` never uses the network."""

    def missing(self, workspace: Path) -> str | None:
        """Say what is missing and how to get it; None if nothing is."""
        ...

    def is_prepared(self, workspace: Path) -> bool:
        """Whether `load` is fast."""
        ...

    def prepare(self, workspace: Path, report: Report = silent) -> None:
        """Download what is missing and prepare what `load` needs, once."""
        ...
