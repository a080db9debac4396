"""Texts as tokens in files, written in one pass and never whole in memory."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from optexp_jax.datasets.data import Report
from optexp_jax.datasets.data_files import atomic_data_write, damaged
from optexp_jax.datasets.hashes import hash_of, remembered_sha256
from optexp_jax.datasets.text.texts import Text
from optexp_jax.errors import OptexpError, tell_from_damage

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_META = "meta.json"


def encode(
    tokenizer: Tokenizer,
    texts: Mapping[str, Text],
    size: int,
    folder: Path,
    name: str,
    report: Report,
) -> None:
    """Write the tokens of texts, `<part>.npy` each, to a folder that appears when it is whole.

    Args:
        tokenizer: gives indices from 0 to size - 1.
        texts: by part: train, validation, test.
        size: of the vocabulary; the tokens are of the smallest unsigned type that holds it.
        folder: where to.
        name: of the data set, for the report.
        report: told the bytes that were read.

    Raises:
        OptexpError: a text is empty or not UTF-8, or the folder cannot be written.
    """
    meta: dict[str, Any] = {}
    with atomic_data_write(folder) as path:
        path.mkdir()
        for part, text in texts.items():
            batches = _ids(tokenizer, text, f"{name}: tokens of {part}", report)
            with (path / f"{part}.npy").open("wb") as file:
                count = _write(file, batches, np.min_scalar_type(size - 1))
            if not count:
                raise OptexpError(
                    f"{text.path} is empty: replace it with the original file.",
                    code="text-empty",
                    path=text.path,
                )
            meta[part] = {
                "text": remembered_sha256(text.path), "share": text.share, "tokens": count,
                "sha256": hash_of(path / f"{part}.npy", "sha256"),
            }  # fmt: skip
        (path / _META).write_text(json.dumps(meta, indent=1), encoding="utf-8")


def _ids(tokenizer: Tokenizer, text: Text, what: str, report: Report) -> Iterator[list[list[int]]]:
    for lines in text.batches(what, report):
        yield [line.ids for line in tokenizer.encode_batch_fast(lines, add_special_tokens=False)]


def _write(file: BinaryIO, batches: Iterator[list[list[int]]], dtype: np.dtype) -> int:
    """Write tokens as they come; the number of them, in the header, is written last."""
    count = 0
    _header(file, count, dtype)
    for batch in batches:
        tokens = np.fromiter(itertools.chain.from_iterable(batch), dtype)
        file.write(tokens.tobytes())
        count += len(tokens)
    file.seek(0)
    _header(file, count, dtype)  # NumPy leaves room for any number
    return count


def _header(file: BinaryIO, count: int, dtype: np.dtype) -> None:
    about = {"descr": dtype.str, "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, about)


def is_encoded(folder: Path, texts: Mapping[str, Text]) -> bool:
    """Whether the folder holds the tokens of exactly these texts.

    Raises:
        OptexpError: its description is damaged.
    """
    if not folder.is_dir():
        return False
    meta = _meta(folder)
    found = {part: (about["text"], about["share"]) for part, about in meta.items()}
    return all(
        found.get(part) == (remembered_sha256(text.path), text.share)
        for part, text in texts.items()
    )


def tokens_in(folder: Path, part: str) -> np.ndarray:
    """The tokens of a part, `[N]`, mapped from their file.

    Raises:
        OptexpError: the file is damaged.
    """
    path = folder / f"{part}.npy"
    about = _meta(folder)[part]
    expected = about["tokens"]
    try:
        tokens = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError, MemoryError) as error:
        tell_from_damage(path, error)
        raise damaged(path, f"it has {_size(path)} bytes, too few for {expected} tokens") from error
    if tokens.shape != (expected,):
        raise damaged(path, f"it has {tokens.size} tokens, not {expected}")
    if remembered_sha256(path) != about["sha256"]:
        raise damaged(path, "its content has changed")
    return tokens


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _meta(folder: Path) -> dict[str, Any]:
    try:
        meta = json.loads((folder / _META).read_text(encoding="utf-8"))
        return {part: {key: about[key] for key in ("text", "share", "tokens", "sha256")}
                for part, about in meta.items()}  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        tell_from_damage(folder / _META, error)
        raise damaged(folder / _META, "it cannot be read") from error
