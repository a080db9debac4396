"""Files and folders that are there whole or not at all: written aside, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

# Files of one folder may be written from several machines.
_HOST = platform.node() or "localhost"
_BEGUN = re.compile(r"\.([0-9]{1,20})\.(.+\..+)")
_DAY = 24 * 3600.0  # seconds


@contextlib.contextmanager
def atomic_write(target: Path, make_folder: bool = True) -> Iterator[Path]:
    """A path beside `target` that becomes it when the block ends well and vanishes if not.

    It may be made a file or a folder; what `target` was before is replaced. Its content is on the
    disk before it gets its name, so that a power cut leaves the old or the new. What a process that
    was killed left of the same target is removed.

    Args:
        target: path of the file or folder.
        make_folder: whether the folder of the target is made if it is not there.

    Raises:
        OSError: the folder cannot be written; what `target` was is still there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(Path(folder) / "new" / "file") as path:
    ...         _ = path.write_text("whole", encoding="utf-8")
    ...     [p.name for p in (Path(folder) / "new").iterdir()]
    ['file']
    """
    if make_folder:
        target.parent.mkdir(parents=True, exist_ok=True)
    path = set_aside(target)
    _remove_leftovers(target)
    _remove(path)
    try:
        yield path
        flush(path)
        if path.is_dir():
            _remove(target)
        os.replace(path, target)
        _flush_one(target.parent)
    finally:
        with contextlib.suppress(OSError):
            _remove(path)


def flush(path: Path) -> None:
    """Wait until a file, or a folder with all that is in it, is on the disk."""
    if path.is_dir():
        for folder, _, names in os.walk(path):
            for name in names:
                _flush_one(Path(folder, name))
            _flush_one(Path(folder))
    else:
        _flush_one(path)


def _flush_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems that have no such thing
            raise
    finally:
        os.close(handle)


def set_aside(target: Path) -> Path:
    """The path beside a target where this process writes it, or moves it to remove it."""
    return target.with_name(f".{os.getpid()}.{_HOST}.{target.name}")


def is_begun(path: Path) -> bool:
    """Whether a name is one that `atomic_write` gives to what is not whole yet.

    >>> is_begun(Path(".4711.node3.metrics.parquet")), is_begun(Path("metrics.parquet"))
    (True, False)
    """
    return bool(_BEGUN.fullmatch(path.name))


def is_left_behind(path: Path) -> bool:
    """Whether a process began this and is gone; of other hosts, what is a day old counts.

    Raises:
        OSError: it cannot be looked at.
    """
    found = _BEGUN.fullmatch(path.name)
    if found is None:
        return False
    if found[2].startswith(f"{_HOST}."):
        return not _is_alive(int(found[1]))
    return time.time() - path.lstat().st_mtime > _DAY


def _remove_leftovers(target: Path) -> None:
    """Remove what processes of this host that are gone have begun of the same target."""
    end = f".{_HOST}.{target.name}"
    with os.scandir(target.parent) as entries:
        begun = [e.name for e in entries if e.name.startswith(".") and e.name.endswith(end)]
    for name in begun:
        process = name.removesuffix(end).removeprefix(".")
        if process.isdecimal() and not _is_alive(int(process)):
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                _remove(target.with_name(name))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # of another user
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
