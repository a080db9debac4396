"""Data sets that TensorFlow Datasets has prepared on this machine, read without TensorFlow."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from optexp_jax.datasets import tfrecord
from optexp_jax.datasets.data import Split
from optexp_jax.errors import OptexpError, tell_from_damage

FORMATS = ("array_record", "tfrecord")


def find(name: str, workspace: Path) -> Path | None:
    """The folder of a prepared copy, the newest version of it, or None.

    Only looks at files: nothing is imported, no connection is tried.

    Args:
        name: in TensorFlow Datasets, such as `fashion_mnist`.
        workspace: its `datasets/tfds` comes before TFDS's own folder.
    """
    if importlib.util.find_spec("tensorflow_datasets") is None:
        return None
    default = Path(os.environ.get("TFDS_DATA_DIR") or Path.home() / "tensorflow_datasets")
    for root in (_root(workspace), default):
        # The file is there only when the copy is complete: TFDS renames its folder last.
        for info in sorted((root / name).glob("*/dataset_info.json"), key=_version, reverse=True):
            if _format(info) in FORMATS:
                return info.parent
    return None


def read(folder: Path, split: str) -> Split:
    """Images and labels of a prepared copy, in the order of the files that it was made from.

    TFDS stores the examples in the order of a hash of their index: this is undone, so that a data
    set is the same wherever it came from.

    Args:
        folder: of one version, as `find` returns it.
        split: `train` or `test`.

    Returns:
        uint8 images `[n, height, width]` and uint8 labels `[n]`.

    Raises:
        OptexpError: the copy cannot be read, or is cut short.
    """
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder_from_directory(folder)
        expected = builder.info.splits[split].num_examples
        examples = [(e["image"], e["label"]) for e in _examples(builder, split)]
    except Exception as error:  # of half a dozen packages, and all mean the same to the user
        tell_from_damage(folder, error)
        raise OptexpError(
            f"The TensorFlow Datasets copy in {folder} cannot be read ({error}): remove it.",
            code="tfds-unreadable",
            folder=folder,
            why=error,
        ) from error
    if len(examples) != expected:
        raise OptexpError(
            f"The TensorFlow Datasets copy in {folder} is incomplete: {split} should have "
            f"{expected} examples, but has {len(examples)}. Use another copy, or remove it; then "
            "prepare again.",
            code="tfds-cut-short",
            folder=folder,
            split=split,
            expected=expected,
            found=len(examples),
        )
    return _unshuffled(examples, split)


def prepare(name: str, workspace: Path) -> None:
    """Let TFDS download a data set into the workspace; needs TensorFlow.

    Raises:
        OptexpError: it could not.
    """
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=_root(workspace), file_format="array_record")
        builder.download_and_prepare()
    except Exception as error:  # as above
        raise OptexpError(
            f"TensorFlow Datasets cannot prepare {name}: {error}.",
            code="tfds-cannot-prepare",
            dataset=name,
            why=error,
        ) from error


def can_prepare() -> bool:
    """Whether TFDS and TensorFlow, which it encodes images with, are here."""
    names = ("tensorflow_datasets", "tensorflow")
    return all(importlib.util.find_spec(name) is not None for name in names)


def _root(workspace: Path) -> Path:
    return Path(workspace) / "datasets" / "tfds"


def _version(info: Path) -> list[int]:
    """The version that the folder of a copy is named by, 3.0.10 after 3.0.2."""
    return [int(part) if part.isdigit() else -1 for part in info.parent.name.split(".")]


def _format(info: Path) -> str:
    try:
        return json.loads(info.read_text(encoding="utf-8")).get("fileFormat", "tfrecord")
    except (OSError, ValueError):
        return "unreadable"


def _examples(builder: Any, split: str) -> Iterable[dict[str, Any]]:
    if _format(builder.data_path / "dataset_info.json") == "array_record":
        return builder.as_data_source(split)
    features, paths = builder.info.features, builder.info.splits[split].filepaths
    records = (tfrecord.record(path, start) for path in paths for start in tfrecord.starts(path))
    return map(features.deserialize_example_np, records)


def _unshuffled(examples: list[tuple[np.ndarray, int]], split: str) -> Split:
    keys = [hashlib.md5(f"{split}{i}".encode()).digest() for i in range(len(examples))]
    place = sorted(range(len(examples)), key=keys.__getitem__)
    images = np.stack([image[..., 0] for image, _ in examples])
    labels = np.array([label for _, label in examples], np.uint8)
    back = np.argsort(place)
    return Split(images[back], labels[back])
