"""Locks on open files, which end with the process that holds them."""

from __future__ import annotations

import fcntl
from typing import IO


def try_lock(handle: IO[str], shared: bool = False) -> bool:
    """Lock an open file; False, at once, if another process has locked it.

    Args:
        handle: an open file; closing it lets go of the lock.
        shared: whether others may hold a shared lock meanwhile.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w") as file, open(file.name) as other:
    ...     try_lock(file), try_lock(other), try_lock(other, shared=True)
    (True, False, False)
    """
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_lock(handle: IO[str]) -> None:
    """Lock an open file as soon as no other process has locked it."""
    fcntl.flock(handle, fcntl.LOCK_EX)


def unlock(handle: IO[str]) -> None:
    """Unlock a file that stays open."""
    fcntl.flock(handle, fcntl.LOCK_UN)
