"""What a data set is to the rest of the library."""

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
    """A `Report` that nobody reads."""


@dataclasses.dataclass(frozen=True)
class Split:
    """Inputs and labels of one part of a data set, in memory or mapped from a file.

    Args:
        inputs: `[n, ...]`; integers `[n]` are the indices of one-hot vectors, `[n, time]` tokens.
        labels: classes, integers `[n]` or `[n, time]`; -1 marks padding.
    """

    inputs: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)


class Streamed(Protocol):
    """A split too large for memory: its examples are read from files as they are needed."""

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
    """A data set that can be trained on.

    Args:
        train: what is optimised.
        class_counts: examples of each class among the training targets, int64 `[num_classes]`.
        validation: held-out part; None where the paper validates on the training set.
        evaluation: the fixed part of the training data on which training metrics of mini-batch
            runs are measured; None for all of it.

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
    """What is known of a data set without loading it; None where it is not.

    Args:
        train: training targets (examples, or tokens of a text).
        validation: validation targets; 0 where validation is training.
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
    """A frozen value that can load itself; these members are all that is required of one.

    One that lives in files has those of `InFiles` too. What else a data set may say, and what holds
    where it does not, is in `datasets.base`: `facts`, `shapes`, `origin`, `seed`, `vocabulary`,
    `num_inputs`. How it is listed is in `datasets.catalogue`.
    """

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        ...

    @property
    def num_groups(self) -> int:
        """Number of frequency groups that figures show unless told otherwise."""
        ...

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        ...

    def load(self, workspace: Path) -> Data:
        """The data, from the workspace where they are files."""
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
    """What a data set that lives in files has besides; `load` never uses the network."""

    def missing(self, workspace: Path) -> str | None:
        """A sentence that says what is not here and how to get it, or None."""
        ...

    def is_prepared(self, workspace: Path) -> bool:
        """Whether `load` has nothing slow to do."""
        ...

    def prepare(self, workspace: Path, report: Report = silent) -> None:
        """Fetch what is missing, and build what `load` needs, once."""
        ...
