"""Locks of runs, which a process holds until it ends or releases them."""

from __future__ import annotations

import contextlib
import os
import random
import time
from pathlib import Path
from typing import IO

from optexp_jax.file_lock import try_lock, unlock

_NAME = ".lock"
_TRIES = 2000  # of a few milliseconds: so long may others look whether a lock is held


class Lock:
    """The lock in a folder. It is bound to the folder: one that was moved away takes it along."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._handle: IO[str] | None = None

    def take(self) -> bool:
        """Take the lock; return False at once if another process holds it.

        Raises:
            OSError: the folder is gone or cannot be written.
        """
        with contextlib.ExitStack() as stack:
            handle = stack.enter_context(open(self._path, "a", encoding="utf-8"))
            if not _take(handle):
                return False
            self._handle = handle
            stack.pop_all()  # open as long as the lock is held
        return True

    def release(self) -> None:
        """Release the lock."""
        if self._handle:
            self._handle.close()
            self._handle = None

    @property
    def is_mine(self) -> bool:
        """Whether this object holds the lock."""
        return self._handle is not None

    def is_in_place(self) -> bool:
        """Return whether the locked folder is still at its path."""
        if self._handle is None:
            return True
        try:
            return os.path.samestat(os.fstat(self._handle.fileno()), os.stat(self._path))
        except (FileNotFoundError, NotADirectoryError):
            return False

    def is_taken(self) -> bool:
        """Return whether some process holds the lock.

        Raises:
            OSError: the folder cannot be read.
        """
        try:
            with open(self._path, encoding="utf-8") as handle:
                return not try_lock(handle, shared=True)
        except (FileNotFoundError, NotADirectoryError):
            return False


def _take(handle: IO[str]) -> bool:
    """Take a lock that is free. A check whether it is held shares it for an instant."""
    for _ in range(_TRIES):
        if try_lock(handle):
            return True
        if not try_lock(handle, shared=True):
            return False  # another process has it for itself
        unlock(handle)
        time.sleep(random.uniform(0, 0.002))
    return False
