"""Texts and tokens of the user's own, known by the hashes of their files."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from optexp_jax.datasets.base import unknown_shapes
from optexp_jax.datasets.classes import ByFrequency, counts_of
from optexp_jax.datasets.data import Data, Report, silent
from optexp_jax.datasets.data_files import (
    MissingDataError,
    atomic_data_write,
    damaged,
    folder_of,
    reading,
)
from optexp_jax.datasets.hashes import hash_of, remembered_sha256
from optexp_jax.datasets.text.base import TextDataset
from optexp_jax.datasets.text.corpora import Corpus
from optexp_jax.datasets.text.layouts import Layout, Sequences, require_length
from optexp_jax.datasets.text.source import TextSource
from optexp_jax.datasets.text.tokens import Tokens, Words
from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_integer, check_kind
from optexp_jax.registry import register

_PARTS = ("train", "validation")
_FREE: dict[str, Any] = {"default": None, "compare": False, "repr": False}


@dataclasses.dataclass(frozen=True)
class OwnFiles:
    """Files of the user, copied into the workspace by the first run: other processes read them.

    Args:
        kind: of the data set.
        suffix: of the copies.
        content: SHA-256 of each.
    """

    kind: str
    suffix: str
    content: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the folder."""
        return f"{self.kind}-{'-'.join(digest[:12] for digest in self.content)}"

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the copies."""
        return tuple(f"{part}{self.suffix}" for part in _PARTS[: len(self.content)])

    def path(self, workspace: Path, file: str) -> Path:
        """Where a copy is."""
        return folder_of(workspace, self.name) / file

    def are_kept(self, workspace: Path) -> bool:
        """Whether all copies are there."""
        return all(self.path(workspace, file).is_file() for file in self.files)

    def missing(self, workspace: Path, given: tuple[Path, ...]) -> str | None:
        """That a file is neither given nor kept, or None."""
        absent = [str(path) for path in given if not path.is_file()] if given else list(self.files)
        if not absent or self.are_kept(workspace):
            return None
        return (
            f"The files of {self.kind} (SHA-256 {self.content[0][:16]}...) are not here: no "
            f"{', '.join(absent)}; put them back, or copy {folder_of(workspace, self.name)} from "
            "the workspace where they were trained on."
        )

    def keep(self, workspace: Path, given: tuple[Path, ...]) -> None:
        """Copy the given files.

        Raises:
            OptexpError: one has changed, or the workspace cannot be written.
        """
        for file, source, digest in zip(self.files, given, self.content, strict=False):
            target = self.path(workspace, file)
            if target.is_file():
                continue
            with atomic_data_write(target) as beside, reading(source) as read:
                with beside.open("wb") as copy:
                    shutil.copyfileobj(read, copy)
                if hash_of(beside, "sha256") != digest:
                    raise OptexpError(
                        f"{source} changed after the data set was declared: run the program that "
                        "declares it again.",
                        code="own-file-changed",
                        path=source,
                    )

    def check(self, workspace: Path) -> None:
        """Raise an error if copies have changed.

        Raises:
            OptexpError: one has changed.
        """
        for file, digest in zip(self.files, self.content, strict=True):
            path = self.path(workspace, file)
            if remembered_sha256(path) != digest:
                raise damaged(path, "its content has changed")


def _given(dataset: Any) -> tuple[Path, ...]:
    return tuple(Path(p) for p in (dataset.train, dataset.validation) if p is not None)


def _declare(dataset: Any) -> None:
    """Set the hashes of the files that a data set is given.

    Raises:
        OptexpError: it is given none, or one that cannot be read.
    """
    if dataset.train is not None:
        paths = _given(dataset)
        content = tuple(hash_of(path, "sha256") for path in paths)
        for field, path in zip(_PARTS, paths, strict=False):
            object.__setattr__(dataset, field, str(path.resolve()))
        object.__setattr__(dataset, "content", content)
    if not dataset.content:
        kind = type(dataset).__name__
        raise OptexpError(
            f"{kind} needs a training file: write {kind}(train=...).",
            code="no-file-to-train-on",
            kind=kind,
        )


@register("TextFiles")
@dataclasses.dataclass(frozen=True, kw_only=True)
class TextFiles(TextDataset):
    """Your own text in UTF-8; `TextFiles(train="my.txt", tokens=BPE(8000))`.

    Args:
        train: the file that is trained on, and that the vocabulary is learned from.
        validation: a held-out file; None for none.
        tokens: `Words`, `Characters`, `BPE` or `Unigram`.
        layout: `Streams` or `Sequences`.
        merge_factor: so many neighbouring tokens are one class.
        evaluated: rows of the training data on which training metrics are measured; None for all.
        content: SHA-256 of the files; found in them.

    Raises:
        OptexpError: a file that cannot be read, or an impossible value.
    """

    tokens: Tokens = dataclasses.field(default=Words(8000))
    layout: Layout = dataclasses.field(default=Sequences(64))
    train: Any = dataclasses.field(**_FREE)
    validation: Any = dataclasses.field(**_FREE)
    content: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        _declare(self)

    @classmethod
    def listed(cls) -> dict[str, TextFiles]:
        """None, as they are the user's."""
        return {}

    @property
    def _files(self) -> OwnFiles:
        return OwnFiles("TextFiles", ".txt", self.content)

    @property
    def source(self) -> TextSource:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The copies of the files."""
        return TextSource(self._files.name, Corpus(self._files.name, self._files.files))

    def missing(self, workspace: Path) -> str | None:
        """That a file is neither where it was nor in the workspace, or None."""
        return self._files.missing(workspace, _given(self))

    def prepare(self, workspace: Path, report: Report = silent) -> None:
        """Copy the files, and write their tokens.

        Raises:
            OptexpError: a file has changed, or is damaged.
        """
        self._files.keep(workspace, _given(self))
        self.source.encoded(workspace, self.tokens, report)

    def load(self, workspace: Path) -> Data:
        """Inputs and targets, mapped from files.

        Raises:
            MissingDataError: the texts are not there.
            OptexpError: a file is damaged, or a text too short.
        """
        if not self.missing(workspace):
            self._files.keep(workspace, _given(self))
            self._files.check(workspace)
        return super().load(workspace)


@register("TokenStream")
@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenStream(ByFrequency):
    """Your own tokens: one-dimensional arrays of integers in `.npy` files, never whole
    in memory.

    Args:
        train: the file that is trained on.
        validation: a held-out file; None for none.
        vocabulary: number of tokens, and of classes.
        layout: `Streams` or `Sequences`.
        content: SHA-256 of the files; found in them.

    Raises:
        OptexpError: a file that cannot be read or holds no tokens, or an impossible value.
    """

    train: Any = dataclasses.field(**_FREE)
    validation: Any = dataclasses.field(**_FREE)
    vocabulary: int
    layout: Layout = dataclasses.field(default=Sequences(64))
    content: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_integer("vocabulary of TokenStream", self.vocabulary, 2)
        check_kind("layout of TokenStream", self.layout, Layout, "Sequences(64)")
        _declare(self)
        for path in _given(self):
            _mapped(path)

    @classmethod
    def listed(cls) -> dict[str, TokenStream]:
        """None, as they are the user's."""
        return {}

    @property
    def num_classes(self) -> int:
        """Number of tokens."""
        return self.vocabulary

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input: tokens in time."""
        return (self.layout.length,)

    @property
    def _files(self) -> OwnFiles:
        return OwnFiles("TokenStream", ".npy", self.content)

    def shapes(self) -> Data:
        """They are in the files."""
        raise unknown_shapes(self)

    @property
    def origin(self) -> str:
        """Name of the files that are copied once."""
        return self._files.name

    def missing(self, workspace: Path) -> str | None:
        """That a file is neither where it was nor in the workspace, or None."""
        return self._files.missing(workspace, _given(self))

    def is_prepared(self, workspace: Path) -> bool:
        """Whether the files are copied."""
        return self._files.are_kept(workspace)

    def prepare(self, workspace: Path, report: Report = silent) -> None:
        """Copy the files.

        Raises:
            OptexpError: a file has changed, or the workspace cannot be written.
        """
        del report
        self._files.keep(workspace, _given(self))

    def load(self, workspace: Path) -> Data:
        """Inputs and targets, views of the mapped files.

        Raises:
            MissingDataError: the files are not there.
            OptexpError: a file has changed, or is too short.
        """
        sentence = self.missing(workspace)
        if sentence:
            raise MissingDataError(sentence, code="data-not-here", dataset="TokenStream")
        self.prepare(workspace)
        self._files.check(workspace)
        splits = []
        for part, file in zip(_PARTS, self._files.files, strict=False):
            tokens = _mapped(self._files.path(workspace, file))
            require_length(self, self.layout, len(tokens), part)
            splits.append(self.layout.split(tokens))
        train, *held_out = splits
        return Data(train, counts_of(train.labels, self.vocabulary), *held_out)


def _mapped(path: Path) -> np.ndarray:
    """Tokens in a file, mapped."""
    try:
        tokens = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _no_tokens(path) from error
    if not isinstance(tokens, np.ndarray) or tokens.ndim != 1 or tokens.dtype.kind not in "iu":
        raise _no_tokens(path)
    return tokens


def _no_tokens(path: Path) -> OptexpError:
    return OptexpError(
        f"{path} is not a .npy file with one row of integers: write it with numpy.save.",
        code="not-a-token-file",
        path=path,
    )
