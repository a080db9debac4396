"""IDX files, the format of MNIST: arrays of bytes, plain or packed, read whole or not at all."""

from __future__ import annotations

import functools
import gzip
import hashlib
import math
import zlib
from pathlib import Path

import numpy as np

from optexp_jax.errors import OptexpError

_BYTES = b"\x00\x00\x08"  # two zeros and the type, unsigned bytes; the number of axes follows
_CHUNK = 1 << 20
_REMEDY = "remove it and prepare the data set again"


def read_idx(path: Path) -> np.ndarray:
    """An array of bytes from an IDX file, plain or, where its name ends in `.gz`, compressed.

    Args:
        path: of the file.

    Returns:
        uint8 of the shape that the file names; it may be read only.

    Raises:
        OptexpError: the file cannot be read, is cut short, too long, damaged, or no IDX file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_idx(Path(folder) / "labels.gz", np.array([5, 0, 4], np.uint8))
    ...     read_idx(Path(folder) / "labels.gz")
    array([5, 0, 4], dtype=uint8)

    Source: the paper, section A.1 (MNIST); the format is that of the MNIST files.
    """
    content, whole = _content(path)
    if content[:3] != _BYTES[: len(content)]:
        raise OptexpError(
            f"{path} is not an IDX file of bytes: it begins with {content[:3].hex()} where "
            f"{_BYTES.hex()} is expected; {_REMEDY}.",
            code="not-an-idx-file",
            path=path,
            found=content[:3],
        )
    axes = content[3] if len(content) > 3 else 1
    start = 4 + 4 * axes
    shape = tuple(np.frombuffer(content[4:start], ">u4").tolist()) if len(content) >= start else ()
    expected = start + math.prod(shape) if len(content) >= start else start
    _check_size(path, expected, len(content), whole)
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write an array of bytes as an IDX file, compressed where the name ends in `.gz`.

    Args:
        path: of the file, which is replaced.
        array: uint8, at least one axis.

    Raises:
        ValueError: the array does not hold bytes.
    """
    if array.dtype != np.uint8 or not 1 <= array.ndim < 256:
        raise ValueError(f"An IDX file holds bytes with axes, not {array.dtype} {array.shape}.")
    opening = functools.partial(gzip.open, compresslevel=1) if path.suffix == ".gz" else open
    with opening(path, "wb") as file:
        for part in _parts(array):
            file.write(part)


def md5_of_idx(array: np.ndarray) -> str:
    """The md5 of the plain IDX file of an array of bytes."""
    digest = hashlib.md5()
    for part in _parts(array):
        digest.update(part)
    return digest.hexdigest()


def _parts(array: np.ndarray) -> tuple[bytes, memoryview]:
    """Header and content of an IDX file."""
    header = _BYTES + bytes([array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header, np.ascontiguousarray(array).data


def _content(path: Path) -> tuple[bytes, bool]:
    """The bytes of a file, unpacked, and whether all were there."""
    try:
        return (path.read_bytes(), True) if path.suffix != ".gz" else _unpacked(path)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise OptexpError(
            f"{path} is damaged ({error}): {_REMEDY}.", code="idx-damaged", path=path, why=error
        ) from error
    except OSError as error:
        raise OptexpError(
            f"{path} cannot be read: {error.strerror or error}.",
            code="file-unreadable",
            path=path,
            cause=error.strerror or error,
        ) from error


def _unpacked(path: Path) -> tuple[bytes, bool]:
    parts = []
    with gzip.open(path) as file:
        try:
            while part := file.read1(_CHUNK):
                parts.append(part)
        except EOFError:  # cut short: what is there says how long it should be
            return b"".join(parts), False
    return b"".join(parts), True


def _check_size(path: Path, expected: int, found: int, whole: bool) -> None:
    if found == expected and whole:
        return
    what = "is too long" if found > expected else "is cut short"
    unpacked = "unpacked " if path.suffix == ".gz" else ""
    # The checksum behind the last byte may be all that is missing.
    end = " without its checksum" if found == expected else ""
    raise OptexpError(
        f"{path} {what}: expected {expected} {unpacked}bytes, found {found}{end}; {_REMEDY}.",
        code="idx-wrong-size",
        path=path,
        expected=expected,
        found=found,
        whole=whole,
    )
