"""Which images a data set takes: a seeded rule, computed once and kept as a small file."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from optexp_jax.datasets.classes import rank_in_class
from optexp_jax.datasets.data import Report
from optexp_jax.datasets.data_files import atomic_data_write
from optexp_jax.datasets.imagenet.split import ImageSplit, channel_statistics
from optexp_jax.datasets.imagenet.tree import Part
from optexp_jax.datasets.seeds import random_order
from optexp_jax.errors import OptexpError, tell_from_damage

_KEPT = ("files", "listing", "chosen", "mean", "std")


def wanted_by_class(labels: np.ndarray, profile: np.ndarray) -> np.ndarray:
    """Images asked for of each class, from those of the k-th most frequent class.

    Args:
        labels: of all training images, `[n]`.
        profile: images asked for by rank; equally frequent classes are in order of their index.

    >>> wanted_by_class(np.array([0, 1, 1, 2, 2, 2]), np.array([3, 1, 0]))
    array([0, 1, 3])
    """
    wanted = np.empty_like(profile)
    available = np.bincount(labels, minlength=len(profile))
    wanted[np.argsort(-available, kind="stable")] = profile
    return wanted


def choose(labels: np.ndarray, wanted: np.ndarray, seed: int) -> np.ndarray:
    """Indices of images, in order: as many of each class as wanted, or all it has.

    A larger selection of the same seed contains a smaller one.

    >>> choose(np.array([0, 0, 0, 1, 1]), np.array([2, 5]), seed=0)
    array([0, 2, 3, 4])
    """
    order = random_order(len(labels), seed, "images")
    return np.sort(order[rank_in_class(labels[order]) < wanted[labels[order]]])


def subset(
    path: Path, everything: ImageSplit, profile: np.ndarray, seed: int, report: Report
) -> ImageSplit:
    """A selection of images with their own channel statistics, from its file if there is one.

    The file holds `chosen`, the indices; `wanted` and `counts`, images of each class that were
    asked for and that there were; `mean` and `std`; and the number and hash of the images chosen
    from.

    Args:
        path: of the file.
        everything: all training images.
        profile: images asked for of the k-th most frequent class, `[num_classes]`.
        seed: of the selection.
        report: told of slow work.

    Raises:
        OptexpError: the file is damaged, or of other images.
    """
    if path.is_file():
        return _read(path, everything)
    labels = everything.labels
    wanted = wanted_by_class(labels, profile)
    chosen = choose(labels, wanted, seed)
    split = dataclasses.replace(everything, images=everything.images.take(chosen))
    mean, std = channel_statistics(split, report)
    with atomic_data_write(path) as new, new.open("wb") as file:
        np.savez(
            file,
            files=len(labels),
            listing=_hash(everything.images),
            chosen=chosen,
            wanted=wanted,
            counts=np.bincount(split.labels, minlength=len(wanted)),
            mean=mean,
            std=std,
        )
    return dataclasses.replace(split, mean=mean, std=std)


def _read(path: Path, everything: ImageSplit) -> ImageSplit:
    try:
        with path.open("rb") as opened, np.load(opened) as file:
            kept: dict[str, Any] = {name: file[name] for name in _KEPT}
    except Exception as error:  # numpy and zipfile raise half a dozen kinds
        tell_from_damage(path, error)
        raise OptexpError(
            f"The selection {path} is damaged ({error}): remove it to choose again.",
            code="selection-damaged",
            path=path,
            why=error,
        ) from error
    expected = int(kept["files"]), str(kept["listing"])[:8]
    found = len(everything), _hash(everything.images)[:8]
    if expected != found:
        raise OptexpError(
            f"{path.stem} was chosen from {expected[0]} training images (hash {expected[1]}), but "
            f"{everything.source.folder} now has {found[0]} (hash {found[1]}): restore them, or "
            f"remove {path} to choose again.",
            code="selection-of-other-images",
            path=path,
            folder=everything.source.folder,
            expected=expected,
            found=found,
        )
    images = everything.images.take(kept["chosen"])
    mean, std = tuple(kept["mean"].tolist()), tuple(kept["std"].tolist())
    return dataclasses.replace(everything, images=images, mean=mean, std=std)


def _hash(images: Part) -> str:
    return hashlib.sha256(images.names.tobytes()).hexdigest()
