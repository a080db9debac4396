"""Load a data set for training, and check it once, on the host."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.datasets.base import end_of_indices, shape_promised_by
from optexp_jax.datasets.classes import counts_of
from optexp_jax.datasets.data import PADDING, Data, Dataset, Split, Streamed
from optexp_jax.errors import OptexpError
from optexp_jax.numerics import pinned
from optexp_jax.targets import CLASSES, DISTRIBUTIONS, KINDS, SETS, VECTORS, targets_of

_ROUNDED = 1e-3  # of a sum of shares in any type of floats
_BLOCK = 1 << 24  # entries that are looked at together


def loaded(dataset: Dataset, workspace: Path) -> Data:
    """Load and check the data of a data set.

    Args:
        dataset: anybody's.
        workspace: where its files are.

    Returns:
        its data, class counts as int64.

    Raises:
        OptexpError: the data are not here, or are not what the data set and `Data` promise.
    """
    with pinned():
        data = dataset.load(workspace)
    return checked(dataset, data)


def checked(dataset: Dataset, data: Data) -> Data:
    """Check that data are as their data set promises.

    Labels are integers from 0 below the number of classes, or -1 for padding; inputs are as many,
    of the promised shape and finite; class counts are those of the training labels.

    Raises:
        OptexpError: they are not; the sentence says which promise is broken.
    """
    name = type(dataset).__name__
    if not isinstance(data, Data):
        raise OptexpError(
            f"load of {name} returned a {type(data).__name__}: return a Data(Split(inputs, "
            "labels), class_counts).",
            code="load-not-data",
            dataset=name,
            found=type(data).__name__,
        )
    parts = {"train": data.train, "validation": data.validation, "evaluation": data.evaluation}
    for part, split in parts.items():
        if split is not None:
            _check_part(f"{name}.{part}", dataset, split)
    counts = np.asarray(data.class_counts)
    if counts.shape != (dataset.num_classes,) or counts.dtype.kind not in "iu":
        raise OptexpError(
            f"class_counts of {name} are {counts.dtype} of shape {counts.shape}: give one integer "
            f"for each of its {dataset.num_classes} classes.",
            code="class-counts-malformed",
            dataset=name,
            dtype=counts.dtype,
            shape=counts.shape,
            num_classes=dataset.num_classes,
        )
    found = counts_of(data.train.labels, dataset.num_classes, targets_of(dataset))
    wrong = np.flatnonzero(found != counts)
    if len(wrong):
        k = int(wrong[0])
        raise OptexpError(
            f"class_counts of {name} differ from its training labels: class {k} has {found[k]} "
            f"examples, not {counts[k]}. Use `counts_of(labels, num_classes)`.",
            code="class-counts-wrong",
            dataset=name,
            label=k,
            found=int(found[k]),
            given=int(counts[k]),
        )
    return dataclasses.replace(data, class_counts=found)


def _check_part(name: str, dataset: Dataset, split: Split | Streamed) -> None:
    labels = np.asarray(split.labels)
    if labels.size == 0 or len(split) == 0:
        raise OptexpError(
            f"{name} has no examples: give at least one, or None for no part.",
            code="part-empty",
            part=name,
        )
    if targets_of(dataset) == CLASSES:
        _check_classes(name, dataset, labels)
    else:
        _check_vectors(name, dataset, labels)
    if isinstance(split, Split):
        if not isinstance(split.inputs, np.ndarray | jax.Array):
            raise OptexpError(
                f"The inputs of {name} are a {type(split.inputs).__name__}: convert them to an "
                "array.",
                code="inputs-no-array",
                part=name,
                found=type(split.inputs).__name__,
            )
        _check_inputs(name, dataset, split.inputs, labels)
    else:
        _check_shape(name, dataset, tuple(split.example_shape))


def _check_vectors(name: str, dataset: Dataset, labels: np.ndarray) -> None:
    """Refuse labels that are not the vectors that the data set promises."""
    targets = targets_of(dataset)
    if targets not in KINDS:
        raise OptexpError(
            f"targets of {type(dataset).__name__} must be one of {', '.join(KINDS)}, not "
            f"{targets!r}.",
            code="not-a-choice",
            field="targets",
            kind=type(dataset).__name__,
            value=targets,
            choices=KINDS,
        )
    if labels.dtype.kind != "f" or labels.ndim < 2 or labels.shape[-1] != dataset.num_classes:
        raise OptexpError(
            f"The labels of {name} are {labels.dtype} of shape {labels.shape}: for targets that "
            f"are {targets}, give {dataset.num_classes} floats for each example.",
            code="labels-not-vectors",
            part=name,
            dtype=labels.dtype,
            shape=labels.shape,
            targets=targets,
            num_classes=dataset.num_classes,
        )
    if not np.isfinite(labels).all():
        raise OptexpError(
            f"The labels of {name} contain NaN or infinity: remove or replace these values.",
            code="labels-not-finite",
            part=name,
        )
    whole = {
        VECTORS: lambda: True,
        SETS: lambda: np.isin(labels, (0, 1)).all(),
        DISTRIBUTIONS: lambda: (labels >= 0).all() and np.abs(labels.sum(-1) - 1).max() < _ROUNDED,
    }
    if not whole[targets]():
        raise OptexpError(
            f"The labels of {name} are not {targets}: each distribution must be at least 0 and "
            "sum to 1, each set must be 0 or 1 for every class.",
            code="labels-malformed",
            part=name,
            targets=targets,
        )


def _check_classes(name: str, dataset: Dataset, labels: np.ndarray) -> None:
    if labels.dtype.kind not in "iu":
        raise OptexpError(
            f"The labels of {name} have type {labels.dtype}: convert them to integers.",
            code="labels-not-integers",
            part=name,
            dtype=labels.dtype,
        )
    low, high = int(labels.min()), int(labels.max())
    if low < PADDING or high >= dataset.num_classes:
        odd = low if low < PADDING else high
        raise OptexpError(
            f"The label {odd} of {name} does not belong to one of its {dataset.num_classes} "
            f"classes: use labels from 0 to {dataset.num_classes - 1}, or {PADDING} for padding.",
            code="label-outside",
            part=name,
            label=odd,
            num_classes=dataset.num_classes,
        )
    if high < 0:
        raise OptexpError(
            f"{name} contains only padding: give at least one example.",
            code="part-all-padding",
            part=name,
        )


def _check_inputs(name: str, dataset: Dataset, inputs: Any, labels: np.ndarray) -> None:
    if len(inputs) != len(labels):
        raise OptexpError(
            f"{name} has {len(inputs)} inputs and {len(labels)} labels: give one label each.",
            code="unequal-lengths",
            part=name,
            inputs=len(inputs),
            labels=len(labels),
        )
    _check_shape(name, dataset, tuple(inputs.shape[1:]))
    if jnp.issubdtype(inputs.dtype, jnp.floating):
        if not _are_finite(inputs):
            raise OptexpError(
                f"The inputs of {name} contain NaN or infinity: remove or replace these values.",
                code="inputs-not-finite",
                part=name,
            )
    elif not jnp.issubdtype(inputs.dtype, jnp.integer):
        raise OptexpError(
            f"The inputs of {name} have type {inputs.dtype}: convert them to floats or integers.",
            code="inputs-of-wrong-type",
            part=name,
            dtype=inputs.dtype,
        )
    else:
        _check_indices(name, dataset, inputs)


def _check_indices(name: str, dataset: Any, inputs: Any) -> None:
    """Refuse tokens and indices of one-hot vectors that models would clip without a word."""
    most = end_of_indices(dataset, inputs)
    if most is None:
        return
    low, high = int(np.min(inputs)), int(np.max(inputs))
    if low < 0 or high >= most:
        raise OptexpError(
            f"The input {low if low < 0 else high} of {name} must be from 0 to {most - 1}.",
            code="input-outside",
            part=name,
            value=low if low < 0 else high,
            most=most - 1,
        )


def _are_finite(inputs: Any) -> bool:
    if isinstance(inputs, jax.Array):
        return bool(jnp.isfinite(inputs).all())  # where they lie
    step = max(1, _BLOCK // max(1, int(np.prod(inputs.shape[1:]))))
    blocks = (inputs[i : i + step] for i in range(0, len(inputs), step))
    return all(np.isfinite(block).all() for block in blocks)


def _check_shape(name: str, dataset: Dataset, found: tuple[int, ...]) -> None:
    promised = shape_promised_by(dataset)
    if promised is not None and found != promised:
        raise OptexpError(
            f"The inputs of {name} have shape {found}, but input_shape is {promised}: make them "
            "equal.",
            code="input-shape-wrong",
            part=name,
            found=found,
            promised=promised,
        )
