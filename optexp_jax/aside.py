"""Files and folders that are there whole or not at all: written aside, then renamed."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

# Files of one folder may be written from several machines.
_HOST = platform.node() or "localhost"


@contextlib.contextmanager
def aside(target: Path) -> Iterator[Path]:
    """A path beside `target` that becomes it when the block ends well and vanishes if not.

    It may be made a file or a folder; what `target` was before is replaced. The folder of the
    target is made if need be. What a process that was killed left of the same target is removed.

    Raises:
        OSError: the folder cannot be written; what `target` was is still there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with aside(Path(folder) / "new" / "file") as path:
    ...         _ = path.write_text("whole")
    ...     [p.name for p in (Path(folder) / "new").iterdir()]
    ['file']
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.with_name(f".{os.getpid()}.{_HOST}.{target.name}")
    _remove_leftovers(target)
    _remove(path)
    try:
        yield path
        if path.is_dir():
            _remove(target)
        os.replace(path, target)
    finally:
        with contextlib.suppress(OSError):
            _remove(path)


def _remove_leftovers(target: Path) -> None:
    """Remove what processes of this host that are gone have begun of the same target."""
    end = f".{_HOST}.{target.name}"
    with os.scandir(target.parent) as entries:
        begun = [e.name for e in entries if e.name.startswith(".") and e.name.endswith(end)]
    for name in begun:
        process = name.removesuffix(end).removeprefix(".")
        if process.isdigit() and not _is_alive(int(process)):
            _remove(target.with_name(name))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
