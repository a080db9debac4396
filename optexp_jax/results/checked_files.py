"""Write files of results atomically, and check their hashes on reading."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib import format as npy

from optexp_jax.atomic_write import atomic_write
from optexp_jax.errors import (
    DamagedError,
    GoneError,
    OptexpError,
    UnwritableError,
    cause_of,
    remedy_of,
    unreadable,
)

# -- writing --------------------------------------------------------------------------------------


def write_text(path: Path, text: str, make_folder: bool = True) -> None:
    """Write a text file atomically."""
    write_bytes(path, text.encode(), make_folder)


def write_bytes(path: Path, content: bytes, make_folder: bool = True) -> None:
    """Write a file atomically; it is on disk when this returns."""
    with atomic_write(path, make_folder) as new:
        new.write_bytes(content)


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn errors of writing in a folder, in the block, into errors of one sentence.

    Raises:
        GoneError: the folder is not there any more.
        UnwritableError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        if not folder.is_dir() and isinstance(error, FileNotFoundError | NotADirectoryError):
            raise gone(folder) from error
        raise unwritable(folder, error) from error
    except MemoryError as error:
        raise unwritable(folder, error) from error


def require_writable(folder: Path) -> None:
    """Make a folder and try to write in it.

    Raises:
        UnwritableError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A name of its own: several processes may try at once.
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".writable.") as file:
            file.write(b"\n")
            file.flush()
    except OSError as error:
        raise unwritable(folder, error) from error


# -- reading --------------------------------------------------------------------------------------


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        FileNotFoundError: it is not there.
        UnreadableError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(str(path)) from error
    except (OSError, MemoryError) as error:
        raise unreadable(path, error) from error


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; empty if there is no file.

    Raises:
        DamagedError: the file is damaged.
        UnreadableError: it cannot be read.
    """
    try:
        document = json.loads(read_bytes(path).decode("utf-8"), parse_constant=_no_constant)
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        if isinstance(error, OptexpError):
            raise
        raise damaged(path, error) from error
    if not isinstance(document, dict):
        raise damaged(path, "not an object")
    return document


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


# -- tables and arrays ----------------------------------------------------------------------------


def digest(key: str, content: bytes) -> str:
    """SHA-256 of the id of a run and what a file of it holds: a file of another run has another."""
    return hashlib.sha256(key.encode() + content).hexdigest()


def digest_of(key: str, path: Path) -> str:
    """Return the digest of a file, which may be larger than memory; see `digest`."""
    seeded = hashlib.sha256(key.encode())
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            seeded.update(block)
    return seeded.hexdigest()


def table_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as the bytes of a Parquet file, with checksums of its pages."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False, write_page_checksum=True)
    return buffer.getvalue()


def arrays_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return arrays as the bytes of an npz file."""
    buffer = io.BytesIO()
    every: dict[str, Any] = dict(arrays)
    np.savez_compressed(buffer, **every)
    return buffer.getvalue()


def table_from(path: Path, content: bytes) -> pd.DataFrame:
    """Read the table of a Parquet file; all columns must be numbers.

    Raises:
        DamagedError: it is none, or not whole.
    """
    try:
        # Small tables: threads, and searching for a data set of several files, take longer.
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        read = file.read(use_threads=False)
        table = read.to_pandas(use_threads=False)
    except MemoryError as error:
        raise unreadable(path, error) from error
    except Exception as error:  # the bytes are here, so whatever Arrow raises is about them
        raise damaged(path, error) from error
    for name, kind in zip(read.schema.names, read.schema.types, strict=True):
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise damaged(path, f"the column {name!r} does not hold numbers")
    return table


def arrays_from(path: Path, content: bytes) -> dict[str, np.ndarray]:
    """Read the arrays of an npz file; all must be numbers.

    Raises:
        DamagedError: it is none, or not whole.
    """
    try:
        # As `np.load` does, which takes twice as long for many small arrays.
        with zipfile.ZipFile(io.BytesIO(content)) as stored:
            arrays = {
                name.removesuffix(".npy"): _array_from(stored.read(name))
                for name in stored.namelist()
            }
    except MemoryError as error:
        raise unreadable(path, error) from error
    except Exception as error:  # the bytes are here, so whatever zip and NumPy raise is about them
        raise damaged(path, error) from error
    for name, array in arrays.items():
        if array.dtype.kind not in "biufV":  # V: types such as bfloat16
            raise damaged(path, f"the array {name!r} does not hold numbers")
    return arrays


def _array_from(content: bytes) -> np.ndarray:
    """Read the array of an npy file. Headers are cached: runs of a group have few of them."""
    length = 10 + int.from_bytes(content[8:10], "little")
    if content[:8] != npy.magic(1, 0):  # a longer header, or no array
        return npy.read_array(io.BytesIO(content), allow_pickle=False)
    shape, by_columns, kind = _header_from(content[:length])
    if kind.hasobject:
        raise ValueError("it holds objects, not numbers")
    array = np.frombuffer(content, kind, offset=length)
    return array.reshape(shape, order="F" if by_columns else "C").copy("K")


@functools.lru_cache(maxsize=64)
def _header_from(content: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    file = io.BytesIO(content)
    npy.read_magic(file)
    return npy.read_array_header_1_0(file)


# -- errors ---------------------------------------------------------------------------------------


def damaged(path: Path, reason: object, folder: Path | None = None) -> DamagedError:
    """Return the error on a damaged file, with the reason and the remedy.

    Args:
        path: path of the file.
        reason: the reason in words, or an error.
        folder: folder of the run; None for the folder of the file.
    """
    why = str(reason).strip().split("\n")[0] or type(reason).__name__
    return DamagedError(
        f"The file {path} is damaged ({why[:200]}): delete the folder {folder or path.parent} and "
        "rerun the command, or run the experiment again with --force.",
        code="file-damaged",
        path=path,
        why=why,
        folder=folder or path.parent,
    )


def unwritable(folder: Path, error: BaseException) -> UnwritableError:
    """Return the error on a folder that cannot be written, with the reason and the remedy."""
    return UnwritableError(
        f"The workspace {folder} cannot be written ({cause_of(error)}): {remedy_of(error)} or set "
        "OPTEXP_WORKSPACE to another folder; recorded results are kept.",
        code="workspace-unwritable",
        folder=folder,
        cause=cause_of(error),
    )


def gone(folder: Path) -> GoneError:
    """Return the error on the folder of a run that no longer exists, with the remedy."""
    return GoneError(
        f"The folder {os.fspath(folder)} was moved or deleted during its run: put it back and "
        "rerun the command to resume, or rerun it to start again.",
        code="run-folder-gone",
        folder=folder,
    )
