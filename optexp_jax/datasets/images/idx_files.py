"""Where the images of MNIST and its likes are: IDX files here, a system folder, a TFDS copy."""

from __future__ import annotations

import dataclasses
import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from optexp_jax.datasets import data_files, fetching, tfds_reader
from optexp_jax.datasets.data import Report, Split
from optexp_jax.datasets.images.idx import md5_of_idx, read_idx, write_idx
from optexp_jax.errors import OptexpError

SHAPE = (28, 28)
NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_FETCHED = "fetched"  # folder of compressed files until they are unpacked


@dataclasses.dataclass(frozen=True)
class ImageFiles:
    """The four files of a data set in the form of MNIST.

    Args:
        name: of the data set and of its folder.
        url: the folder in which its source publishes the files, compressed.
        checksums: md5 of the compressed files, in the order of `NAMES`.
        tfds_name: in TensorFlow Datasets.
        offline: what can be done without a network, for the sentence of `missing`.
        system: a folder in which a package of the system puts the files.
        sizes: training and test images.
        digests: md5 of the plain files, in the same order, where they are known.
    """

    name: str
    url: str
    checksums: tuple[str, ...]
    tfds_name: str
    offline: str
    system: Path | None = None
    sizes: tuple[int, int] = (60_000, 10_000)
    digests: tuple[str, ...] = ()

    def missing(self, workspace: Path) -> str | None:
        """A sentence that says what is not there and how to get it, or None."""
        if next(self._sources(workspace), None) is not None:
            return None
        folder = data_files.folder_of(workspace, self.name)
        absent = [f"{name}[.gz]" for name in NAMES if _file(folder, name) is None]
        also = [f"{self.system}"] * (self.system is not None) + ["a copy of TensorFlow Datasets"]
        return data_files.missing(self.name, absent, folder, self.offline, also)

    def is_prepared(self, workspace: Path) -> bool:
        """Whether the files are in the workspace, unpacked and whole."""
        folder = data_files.folder_of(workspace, self.name)
        train, test = self.sizes
        pixels = SHAPE[0] * SHAPE[1]
        sizes = (16 + train * pixels, 8 + train, 16 + test * pixels, 8 + test)
        paths = [folder / name for name in NAMES]
        return all(p.is_file() and p.stat().st_size == n for p, n in zip(paths, sizes, strict=True))

    def read(self, workspace: Path) -> tuple[Split, Split]:
        """Training and test images as bytes `[n, 28, 28]`, labels `[n]`; no network is used.

        Raises:
            MissingDataError: they are not here.
            OptexpError: a file is damaged; nothing is taken from another place instead.
        """
        read = next(self._sources(workspace), None)
        if read is None:
            raise data_files.MissingDataError(
                self.missing(workspace) or "", code="data-not-here", dataset=self.name
            )
        arrays = read()
        return Split(arrays[0], arrays[1]), Split(arrays[2], arrays[3])

    def prepare(self, workspace: Path, report: Report) -> None:
        """Bring the files into the workspace, unpacked: from this machine, or by download.

        Raises:
            OptexpError: there is no way to get them.
        """
        if self.is_prepared(workspace):
            return
        if self.missing(workspace) is not None:
            self._download(workspace, report)
        train, test = self.read(workspace)
        folder = data_files.folder_of(workspace, self.name)
        arrays = (train.inputs, train.labels, test.inputs, test.labels)
        for i, (name, array) in enumerate(zip(NAMES, arrays, strict=True)):
            with data_files.atomic_data_write(folder / name) as path:
                write_idx(path, np.asarray(array))
            report(f"{self.name}: unpacking", i + 1, len(NAMES))
        shutil.rmtree(folder / _FETCHED, ignore_errors=True)  # what the user placed stays

    def _sources(self, workspace: Path) -> Iterator[Callable[[], list[np.ndarray]]]:
        """How to read the four arrays from each place that has them, best first."""
        folder = data_files.folder_of(workspace, self.name)
        for place in (folder, self.system):
            if place is not None and all(_file(place, name) for name in NAMES):
                yield functools.partial(self._from_idx, place)
        copy = tfds_reader.find(self.tfds_name, workspace)
        if copy is not None:
            yield functools.partial(self._from_tfds, copy)

    def _from_idx(self, folder: Path) -> list[np.ndarray]:
        paths = [path for name in NAMES if (path := _file(folder, name))]
        arrays = [read_idx(path) for path in paths]
        self._check(paths, arrays)
        return arrays

    def _from_tfds(self, folder: Path) -> list[np.ndarray]:
        splits = [tfds_reader.read(folder, name) for name in ("train", "test")]
        arrays = [np.asarray(a) for split in splits for a in (split.inputs, split.labels)]
        self._check([folder] * 4, arrays)
        return arrays

    def _check(self, paths: list[Path], arrays: list[np.ndarray]) -> None:
        train, test = self.sizes
        shapes = [(train, *SHAPE), (train,), (test, *SHAPE), (test,)]
        digests = self.digests or (None,) * 4
        for path, array, shape, digest in zip(paths, arrays, shapes, digests, strict=True):
            wrong = _difference(array, shape, digest)
            if wrong:
                raise OptexpError(
                    f"{path} does not contain the data of {self.name}, which has {wrong}: remove "
                    "it and prepare the data set again.",
                    code="other-content",
                    path=path,
                    dataset=self.name,
                    expected=wrong,
                )

    def _download(self, workspace: Path, report: Report) -> None:
        folder = data_files.folder_of(workspace, self.name)
        wanted = [
            fetching.Remote(f"{name}.gz", f"{self.url}/{name}.gz", f"md5:{md5}")
            for name, md5 in zip(NAMES, self.checksums, strict=True)
            if _file(folder, name) is None
        ]
        try:
            fetching.fetch(self.name, wanted, folder, self.offline, report, below=_FETCHED)
        except OptexpError as error:
            # Without a network TFDS would try again for minutes.
            if isinstance(error, fetching.NoConnectionError) or not tfds_reader.can_prepare():
                raise
            report(f"{self.name}: TensorFlow Datasets", 0, 0)
            tfds_reader.prepare(self.tfds_name, workspace)


def _difference(array: np.ndarray, shape: tuple[int, ...], digest: str | None) -> str | None:
    """Compare the content: expected and found, or None if they agree."""
    if array.shape != shape:
        return f"an array {shape}, found {array.shape}"
    if array.ndim == 1 and array.max() > 9:
        return f"labels up to 9, found {array.max()}"
    if digest and (found := md5_of_idx(array)) != digest:
        return f"the md5 {digest} of its plain file, found {found}"
    return None


def _file(folder: Path, name: str) -> Path | None:
    """A file, plain before compressed, and what the user placed before what was fetched."""
    candidates = (folder / name, folder / f"{name}.gz", folder / _FETCHED / f"{name}.gz")
    return next((path for path in candidates if path.is_file()), None)
