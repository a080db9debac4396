"""ImageNet as TensorFlow Datasets prepared it, read without TensorFlow."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from optexp_jax.datasets import tfrecord
from optexp_jax.datasets.data import Report
from optexp_jax.datasets.imagenet.tree import PARTS, Listing, Part
from optexp_jax.errors import OptexpError, tell_from_damage

_SPLIT = {"train": "train", "val": "validation"}
_SHARD = 1 << 40  # the key of a record in TFRecord files is shard · _SHARD + first byte
_THREADS = 16
_BLOCK = 1024


@dataclasses.dataclass(frozen=True)
class ImageRecords:
    """A prepared `imagenet2012`, as array_record or TFRecord files.

    Its images are listed by class and file name, so that they are those of a tree of the same
    files, in the same order.

    Args:
        folder: of one version.
    """

    folder: Path

    def fingerprint(self) -> str:
        """Names and sizes of the files, as a hash."""
        with os.scandir(self.folder) as entries:
            lines = sorted(f"{entry.name} {entry.stat().st_size}" for entry in entries)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def scan(self, report: Report) -> Listing:
        """Read the label and the file name of every record, and so all files, once.

        Raises:
            OptexpError: the files cannot be read.
        """
        try:
            classes = self._builder.info.features["label"].names
            train, val = (self._part(part, classes, report) for part in PARTS)
        except Exception as error:  # of half a dozen packages, and all mean the same to the user
            tell_from_damage(self.folder, error)
            raise OptexpError(
                f"The TensorFlow Datasets copy in {self.folder} cannot be read ({error}): remove "
                "it.",
                code="tfds-unreadable",
                folder=self.folder,
                why=error,
            ) from error
        return Listing(tuple(classes), train, val)

    def read(self, part: str, name: bytes, key: int) -> bytes:
        """The bytes of an image as they were encoded."""
        example = self._reader(part)(key)
        found = example["file_name"]
        if found != name.rpartition(b"/")[2]:
            raise OSError(f"found {found!r} in its place")
        return example["image"]

    # Two threads may build two of these: both are right, and one is kept.
    @functools.cached_property
    def _builder(self) -> Any:
        import tensorflow_datasets as tfds

        return tfds.builder_from_directory(self.folder)

    @functools.cached_property
    def _readers(self) -> dict[str, Callable[[int], dict[str, Any]]]:
        return {}

    def _reader(self, part: str) -> Callable[[int], dict[str, Any]]:
        """A function from a key to a record whose image is not decoded."""
        if part not in self._readers:
            self._readers[part] = self._new_reader(_SPLIT[part])
        return self._readers[part]

    def _new_reader(self, split: str) -> Callable[[int], dict[str, Any]]:
        import tensorflow_datasets as tfds

        decoders = {"image": tfds.decode.SkipDecoding()}
        info = self._builder.info
        if info.file_format.value == "array_record":
            return self._builder.as_data_source(split, decoders=decoders).__getitem__
        paths = [os.fspath(path) for path in info.splits[split].filepaths]
        parse = functools.partial(info.features.deserialize_example_np, decoders=decoders)
        return lambda key: parse(tfrecord.record(paths[key // _SHARD], key % _SHARD))

    def _keys(self, split: str) -> list[int]:
        info = self._builder.info
        if info.file_format.value == "array_record":
            return list(range(info.splits[split].num_examples))
        paths = enumerate(info.splits[split].filepaths)
        return [i * _SHARD + start for i, path in paths for start in tfrecord.starts(path)]

    def _part(self, part: str, classes: list[str], report: Report) -> Part:
        keys, reader = self._keys(_SPLIT[part]), self._reader(part)
        expected = self._builder.info.splits[_SPLIT[part]].num_examples
        if len(keys) != expected:
            raise ValueError(f"expected {expected} images in {part}, found {len(keys)}")

        def one(key: int) -> tuple[int, bytes]:
            example = reader(key)
            return example["label"], example["file_name"]

        rows = []
        with ThreadPoolExecutor(_THREADS) as pool:
            for start in range(0, len(keys), _BLOCK):  # not a million tasks at once
                block = keys[start : start + _BLOCK]
                for key, (label, file) in zip(block, pool.map(one, block), strict=True):
                    rows.append((label, os.fsencode(classes[label]) + b"/" + file, key))
                report(f"listing {part}", len(rows), len(keys))
        rows.sort()
        labels, names, places = zip(*rows, strict=True)
        return Part(np.array(names, "S"), np.array(labels, np.int32), np.array(places, np.int64))
