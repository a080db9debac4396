"""Measure the disk space of a workspace in bytes, by kind and by group."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from optexp_jax.errors import unreadable
from optexp_jax.results.run_folders import DOWNLOADED
from optexp_jax.results.workspace import PACKS, READABLE, RUNS, entries_of, groups

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder, without following links.

    Raises:
        UnreadableError: a folder cannot be read.
    """
    if path.is_dir():
        return sum(_sizes(os.fspath(path)))
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise unreadable(path, error) from error


def _sizes(folder: str) -> Iterator[int]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _sizes(entry.path)
                else:
                    yield entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:  # a run ends or begins meanwhile
        return
    except OSError as error:
        raise unreadable(Path(folder), error) from error


def sizes_by_group(workspace: Path) -> dict[str, dict[str, int]]:
    """Return group -> bytes of its `runs`, `checkpoints` and `downloads`.

    Raises:
        UnreadableError: a folder cannot be read.
    """
    found = {}
    for name in groups(workspace, READABLE):
        group = workspace / RUNS / name
        checkpoints = size_of(group / PACKS)
        found[name] = {"runs": size_of(group) - checkpoints, "checkpoints": checkpoints}
        brought = size_of(workspace / DOWNLOADED / name)
        found[name] |= {"downloads": brought} if brought else {}
    return found


def sizes_by_kind(workspace: Path) -> dict[str, int]:
    """Return the bytes of `runs`, `checkpoints`, each other folder, and other `files`.

    Raises:
        UnreadableError: a folder cannot be read.
    """
    groups = sizes_by_group(workspace).values()
    found = {kind: sum(sizes[kind] for sizes in groups) for kind in ("runs", "checkpoints")}
    files = 0
    for path in entries_of(workspace):
        if path.name != RUNS and path.is_dir():
            found[path.name] = size_of(path)
        elif path.name != RUNS:
            files += size_of(path)
    return found | ({"files": files} if files else {})


def in_words(size: int) -> str:
    """Format a number of bytes to three digits, with a unit.

    >>> [in_words(size) for size in (0, 999, 13_632, 2_500_000, 7 * 10**14)]
    ['0 bytes', '999 bytes', '13.6 kB', '2.5 MB', '700 TB']
    """
    power = 0
    while size >= 999.5 * 1000**power and power < len(_UNITS) - 1:
        power += 1
    return f"{size / 1000**power:.3g} {_UNITS[power]}"
