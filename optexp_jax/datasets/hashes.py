"""Hashes of files, which say whether a file is still what it was."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from optexp_jax.datasets.data_files import atomic_data_write, reading
from optexp_jax.errors import OptexpError

_REMEMBERED = "hashes.json"


def hash_of(path: Path, kind: str) -> str:
    """Hash of a whole file, in hexadecimal digits.

    Args:
        path: of the file.
        kind: `md5` or `sha256`.

    Raises:
        OptexpError: it cannot be read.
    """
    with reading(path) as file:
        return hashlib.file_digest(file, kind).hexdigest()


def remembered_sha256(path: Path) -> str:
    """Hash of a whole file, remembered beside it as long as its size and time are the same.

    Gigabytes take seconds to hash, and every load asks.

    Raises:
        OptexpError: it cannot be read.
    """
    with reading(path) as file:
        stat = os.stat(file.fileno())
    now = [stat.st_size, stat.st_mtime_ns]
    known = _remembered(path.parent)
    match known.get(path.name):
        case [size, time, str(found)] if [size, time] == now:
            return found
    known[path.name] = [*now, hash_of(path, "sha256")]
    with contextlib.suppress(OptexpError), atomic_data_write(path.parent / _REMEMBERED) as beside:
        # Unless the folder cannot be written to.
        beside.write_text(json.dumps(known), encoding="utf-8")
    return known[path.name][-1]


def _remembered(folder: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        known = json.loads((folder / _REMEMBERED).read_text(encoding="utf-8"))
        if isinstance(known, dict):
            return known
    return {}
