"""Records of TFRecord files, read without TensorFlow.

A record is its length in eight bytes, their checksum, the bytes, and their checksum.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

_HEADER, _CHECKSUM = 12, 4


def starts(path: str | os.PathLike[str]) -> Iterator[int]:
    """Where the records of a file start.

    Raises:
        ValueError: the file is cut short, in the middle of a record.
    """
    start, size = 0, os.path.getsize(path)
    with open(path, "rb") as file:
        while start < size:
            yield start
            file.seek(start)
            start += _HEADER + int.from_bytes(file.read(8), "little") + _CHECKSUM
    if start != size:
        raise ValueError(f"{os.path.basename(path)}: expected {start} bytes or more, found {size}")


def record(path: str | os.PathLike[str], start: int) -> bytes:
    """The record that starts at a byte."""
    with open(path, "rb") as file:
        file.seek(start)
        length = int.from_bytes(file.read(_HEADER)[:8], "little")
        return file.read(length)
