"""A data set of arrays that a program holds: known by a hash of what is in them."""

from __future__ import annotations

import dataclasses
import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from optexp_jax.datasets.base import ShapeSplit, counts_of_one_size, unknown_shapes
from optexp_jax.datasets.classes import ByFrequency, counts_of
from optexp_jax.datasets.data import Data, Facts, Report, Split, silent
from optexp_jax.datasets.data_files import (
    MissingDataError,
    atomic_data_write,
    folder_of,
    reading,
)
from optexp_jax.datasets.loading import checked
from optexp_jax.errors import OptexpError, tell_from_damage
from optexp_jax.field_checks import check_choice, check_integer
from optexp_jax.registry import register
from optexp_jax.targets import CLASSES, KINDS

_FIELDS = ("inputs", "labels", "validation_inputs", "validation_labels")
_FREE = {"default": None, "compare": False, "repr": False}  # not part of the identity themselves


@register("ArrayDataset")
@dataclasses.dataclass(frozen=True)
class ArrayDataset(ByFrequency):
    """Make a data set of your own arrays of inputs and labels.

    The first run saves the arrays in `<workspace>/datasets/arrays/`, where tasks on a cluster and
    later processes read them. Definitions of experiments contain the name and a hash of the arrays.

    Args:
        name: for people.
        inputs: `[n, ...]`, floats; or integers, tokens `[n, time]` or indices of one-hot vectors
            `[n]`.
        labels: classes from 0, integers `[n]` or `[n, time]`; -1 marks padding.
        validation: held-out part, (inputs, labels) or a `Split`; None for no validation.
        num_classes: number of classes; 0 for the largest label + 1, or the length of vectors.
        targets: `classes`; or, for labels `[n, num_classes]`, `distributions` over classes, `sets`
            of classes (0 or 1 for each) or `vectors` of any numbers.
        input_shape: of one input; found in the arrays.
        content: SHA-256 of types, shapes and values; found in the arrays.

    Raises:
        OptexpError: the arrays do not suit training; the message says why.

    >>> dataset = ArrayDataset("mine", np.eye(3, 4, dtype=np.float32), np.array([0, 1, 1]))
    >>> dataset.num_classes, dataset.input_shape, dataset.content[:8]
    (2, (4,), 'c4ba531c')
    """

    name: str
    inputs: Any = dataclasses.field(**_FREE)
    labels: Any = dataclasses.field(**_FREE)
    validation: Any = dataclasses.field(**_FREE)
    num_classes: int = 0
    targets: str = CLASSES
    input_shape: tuple[int, ...] = ()
    content: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise OptexpError(
                f"The name of an ArrayDataset must be a string, not {self.name!r}.",
                code="data-set-without-name",
                name=self.name,
            )
        check_integer("num_classes of ArrayDataset", self.num_classes, 0)
        check_choice(self, "targets", KINDS)
        if self.inputs is None and self.content:
            return  # as an experiment's definition holds it: the arrays are in the workspace
        inputs = _as_array("inputs", self.inputs)
        self._take("inputs", inputs)
        self._take("labels", _as_labels(self.labels, self.targets))
        if self.validation is not None:
            self._take("validation", _as_part(self.validation, self.targets))
        self._take("num_classes", self.num_classes or self._found_classes())
        self._take("input_shape", tuple(map(int, inputs.shape[1:])))
        self._take("content", _content_of(self._arrays()))
        checked(self, self._data(self._arrays()))

    def _take(self, field: str, value: Any) -> None:
        object.__setattr__(self, field, value)

    def _found_classes(self) -> int:
        labels = self.labels
        if self.targets != CLASSES:
            return labels.shape[-1] if labels.ndim > 1 else 1
        if labels.dtype != np.int32:
            return 1  # such labels are refused
        if labels[labels >= 0].min(initial=1) > 0 and labels.max() > 0:
            raise OptexpError(
                f"The labels of '{self.name}' start at {labels[labels > 0].min()}: subtract that, "
                f"or give num_classes={labels.max() + 1} if class 0 has no examples.",
                code="labels-not-from-zero",
                name=self.name,
                least=int(labels[labels > 0].min()),
            )
        return max(1, int(labels.max()) + 1)

    def _arrays(self) -> dict[str, np.ndarray]:
        found = {"inputs": self.inputs, "labels": self.labels}
        if self.validation is not None:
            found["validation_inputs"] = self.validation.inputs
            found["validation_labels"] = self.validation.labels
        return found

    def _data(self, arrays: dict[str, np.ndarray]) -> Data:
        inputs, labels, *held_out = (arrays[name] for name in _FIELDS if name in arrays)
        counts = np.zeros(self.num_classes, np.int64)  # of labels that are refused
        classes = self.targets == CLASSES and labels.dtype.kind in "iu"
        if classes or labels.shape[-1:] == (self.num_classes,):
            counts = counts_of(labels, self.num_classes, self.targets)
        validation = Split(*held_out) if held_out else None
        return Data(Split(inputs, labels), counts, validation)

    @classmethod
    def listed(cls) -> dict[str, ArrayDataset]:
        """None, as they are the user's."""
        return {}

    @property
    def facts(self) -> Facts:
        """Numbers of targets, where the arrays are in memory."""
        if self.inputs is None:
            return Facts()
        counts = counts_of(self.labels, self.num_classes, self.targets)
        parts = (self.labels, np.zeros(0) if self.validation is None else self.validation.labels)
        train, held_out = (
            int((labels >= 0).sum()) if self.targets == CLASSES else len(labels) for labels in parts
        )
        return dataclasses.replace(Facts.of(counts), train=train, validation=held_out)

    def shapes(self) -> Data:
        """The arrays as shapes.

        Raises:
            OptexpError: they are not in memory.
        """
        if self.inputs is None:
            raise unknown_shapes(self)
        splits = (Split(self.inputs, self.labels), self.validation)
        train, validation = (
            part
            and ShapeSplit.of(
                part.inputs.shape, part.labels.shape, part.inputs.dtype, part.labels.dtype
            )
            for part in splits
        )
        return Data(train, counts_of_one_size(self), validation)

    @property
    def origin(self) -> str:
        """Name of the file that is written once."""
        return f"arrays-{self.content[:16]}"

    def path(self, workspace: Path) -> Path:
        """Where the arrays are kept."""
        return folder_of(workspace, "arrays") / f"{self.content}.npz"

    def missing(self, workspace: Path) -> str | None:
        """That the arrays are neither in memory nor in the workspace, or None."""
        if self.inputs is not None or self.is_prepared(workspace):
            return None
        return (
            f"The arrays of '{self.name}' (SHA-256 {self.content[:16]}...) are not in "
            f"{self.path(workspace).parent}: run the program that declares them, or copy the file "
            "from the workspace where they were trained on."
        )

    def is_prepared(self, workspace: Path) -> bool:
        """Whether the arrays are kept."""
        return self.path(workspace).is_file()

    def prepare(self, workspace: Path, report: Report = silent) -> None:
        """Keep the arrays in the workspace.

        Raises:
            OptexpError: they are not in memory, have changed, or cannot be written.
        """
        del report
        self._require(workspace)
        if self.inputs is None:
            return
        arrays: dict[str, Any] = self._unchanged()
        with atomic_data_write(self.path(workspace)) as beside, beside.open("wb") as file:
            np.savez(file, **arrays)

    def load(self, workspace: Path) -> Data:
        """The arrays from memory, or from the workspace.

        Raises:
            MissingDataError: they are in neither.
            OptexpError: they are not what they were.
        """
        self._require(workspace)
        return self._data(self._unchanged() if self.inputs is not None else self._kept(workspace))

    def _require(self, workspace: Path) -> None:
        sentence = self.missing(workspace)
        if sentence:
            raise MissingDataError(sentence, code="data-not-here", dataset=self.name)

    def _unchanged(self) -> dict[str, np.ndarray]:
        """The arrays in memory, which anybody may have written to."""
        arrays = self._arrays()
        if _content_of(arrays) != self.content:
            raise OptexpError(
                f"The arrays of '{self.name}' changed after you declared the data set: pass "
                "copies, or declare a new data set.",
                code="arrays-changed",
                name=self.name,
            )
        return arrays

    def _kept(self, workspace: Path) -> dict[str, np.ndarray]:
        path = self.path(workspace)
        try:
            with reading(path) as file, np.load(file, allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in _FIELDS if name in kept}
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            if isinstance(error, OptexpError):
                raise
            tell_from_damage(path, error)
            arrays = {}
        if not arrays or _content_of(arrays) != self.content:
            raise OptexpError(
                f"{path} is damaged: delete it and run the program that declares '{self.name}'.",
                code="arrays-damaged",
                path=path,
                name=self.name,
            )
        return arrays


def _as_part(given: Any, targets: str) -> Split:
    try:
        inputs, labels = (given.inputs, given.labels) if isinstance(given, Split) else given
    except (TypeError, ValueError) as error:
        raise OptexpError(
            "The validation of an ArrayDataset must be (inputs, labels), or None for no "
            "validation: give both.",
            code="validation-not-a-pair",
        ) from error
    return Split(_as_array("inputs", inputs), _as_labels(labels, targets))


def _as_array(what: str, given: Any) -> np.ndarray:
    try:
        array = np.asarray(given)
    except ValueError as error:  # rows of several lengths
        raise _no_array(what) from error
    if given is None or array.ndim == 0 or array.dtype == object:
        raise _no_array(what)
    # One order of bytes, so that one content has one hash.
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def _no_array(what: str) -> OptexpError:
    return OptexpError(
        f"The {what} of an ArrayDataset cannot become an array: give numbers `[n, ...]`, with "
        "rows of equal length.",
        code="not-an-array",
        what=what,
    )


def _as_labels(given: Any, targets: str) -> np.ndarray:
    """Integers as int32 where they fit, so that equal labels are of one content; or floats."""
    labels = _as_array("labels", given)
    if targets != CLASSES:
        return labels.astype(np.float32) if labels.dtype.kind in "iub" else labels
    held = np.iinfo(np.int32)
    fits = labels.dtype.kind in "iu" and labels.size > 0
    if fits and held.min <= labels.min() and labels.max() <= held.max:
        return labels.astype(np.int32)
    return labels


def _content_of(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()
