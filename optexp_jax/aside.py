"""Files and folders that are there whole or not at all: written aside, then renamed."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def aside(target: Path) -> Iterator[Path]:
    """A path beside `target` that becomes it when the block ends well and vanishes if not.

    It may be made a file or a folder; what `target` was before is replaced. The folder of the
    target is made if need be.

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
    path = target.with_name(f".{os.getpid()}.{target.name}")
    _remove(path)
    try:
        yield path
        if path.is_dir():
            _remove(target)
        os.replace(path, target)
    finally:
        with contextlib.suppress(OSError):
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
