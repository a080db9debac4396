"""Images in folders of their classes, as ImageFolder lays them out."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np

from optexp_jax.datasets.data import Report
from optexp_jax.errors import OptexpError

PARTS = ("train", "val")
_KINDS = (".jpg", ".jpeg", ".png")
_THREADS = 16  # to wait for a file system over a network, not to compute


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """Images of one part of a source, ordered by class and file name.

    Args:
        names: `class/file`, bytes `[n]`.
        labels: classes, int32 `[n]`.
        keys: where a source finds them that does not go by names, integers `[n]`.
    """

    names: np.ndarray
    labels: np.ndarray
    keys: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: np.ndarray) -> Part:
        """Some of the images."""
        return Part(self.names[chosen], self.labels[chosen], self.keys[chosen])


@dataclasses.dataclass(frozen=True, eq=False)
class Listing:
    """All images of a source.

    Args:
        classes: names of the classes, sorted.
        train: images to train on.
        val: images to validate on.
    """

    classes: tuple[str, ...]
    train: Part
    val: Part


class ImageSource(Protocol):
    """Where images come from; safe to read from many threads."""

    @property
    def folder(self) -> Path:
        """Where they are."""
        ...

    def fingerprint(self) -> str:
        """A text that changes when images come or go; cheap."""
        ...

    def scan(self, report: Report) -> Listing:
        """List all images; slow."""
        ...

    def read(self, part: str, name: bytes, key: int) -> bytes:
        """The encoded bytes of an image."""
        ...


@dataclasses.dataclass(frozen=True)
class ImageTree:
    """The folders `train/<class>/` and `val/<class>/` with JPEG and PNG files.

    Args:
        folder: that holds `train` and `val`.
    """

    folder: Path

    def fingerprint(self) -> str:
        """Names and times of change of the class folders, as a hash."""
        lines = [f"{part}/{name} {when}" for part in PARTS for name, when in self._classes(part)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def scan(self, report: Report) -> Listing:
        """List all images; other files and hidden ones are passed over.

        Raises:
            OptexpError: a training class or the validation part is empty, or a validation folder
                is of no training class.
        """
        classes = [name for name, _ in self._classes("train")]
        odd = sorted({name for name, _ in self._classes("val")} - set(classes))
        if odd:
            raise OptexpError(
                f"{self.folder / 'val'} has a folder {odd[0]}, but {self.folder / 'train'} does "
                "not: both need one folder for each class.",
                code="class-folder-not-in-train",
                folder=self.folder,
                name=odd[0],
            )
        train, val = (self._part(part, classes, report) for part in PARTS)
        without = np.flatnonzero(np.bincount(train.labels, minlength=len(classes)) == 0)
        empty = [self.folder / "train" / classes[k] for k in without] if classes else ["train"]
        empty += [] if len(val) else ["val"]
        if empty:
            raise OptexpError(
                f"There are no images in {self.folder / empty[0]}: put the images of each class "
                f"into one folder, train/<class>/*.JPEG and val/<class>/*.JPEG in {self.folder}.",
                code="no-images",
                folder=self.folder / empty[0],
            )
        return Listing(tuple(classes), train, val)

    def read(self, part: str, name: bytes, key: int) -> bytes:
        """The bytes of a file."""
        del key
        return (self.folder / part / os.fsdecode(name)).read_bytes()

    def _classes(self, part: str) -> list[tuple[str, int]]:
        try:
            with os.scandir(self.folder / part) as entries:
                return sorted(
                    (entry.name, entry.stat().st_mtime_ns)
                    for entry in entries
                    if entry.is_dir() and not entry.name.startswith(".")
                )
        except OSError as error:
            raise _unreadable(self.folder / part, error) from error

    def _part(self, part: str, classes: list[str], report: Report) -> Part:
        names, counts = [], []
        with ThreadPoolExecutor(_THREADS) as pool:
            folders = [self.folder / part / name for name in classes]
            for i, files in enumerate(pool.map(_images, folders)):
                names += [os.fsencode(f"{classes[i]}/{file}") for file in files]
                counts.append(len(files))
                report(f"listing {part}", i + 1, len(classes))
        labels = np.repeat(np.arange(len(classes), dtype=np.int32), counts)
        return Part(np.array(names, "S"), labels, np.zeros(len(names), np.int8))


def _images(folder: Path) -> list[str]:
    if not folder.is_dir():  # a class without validation images
        return []
    try:
        names = (name for name in os.listdir(folder) if name.lower().endswith(_KINDS))
        return sorted(name for name in names if not name.startswith("."))
    except OSError as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: Path, error: OSError) -> OptexpError:
    return OptexpError(
        f"The folder {folder} cannot be read: {error.strerror or error}.",
        code="folder-unreadable",
        path=folder,
        cause=error.strerror or error,
    )
