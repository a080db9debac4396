"""Exceptions whose messages are meant for the user, and what errors of the machine mean."""

from __future__ import annotations

import errno

_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS)
_TOO_MANY = (errno.EMFILE, errno.ENFILE)


class OptexpError(ValueError):
    """A mistake the user can mend: one sentence that names the thing and the remedy.

    The command line prints the sentence and exits with code 2; a program may catch it.
    """


class DamagedError(OptexpError):
    """A file does not hold what was written to it, or is gone."""


class UnreadableError(OptexpError):
    """A file cannot be read for a reason outside of it: access, memory, open files."""


class UnwritableError(OptexpError):
    """The workspace cannot be written: nothing that runs in it can go on."""


class GoneError(OptexpError):
    """The folder of a run was moved or deleted while the run went on."""


def cause_of(error: BaseException) -> str:
    """Why the machine refused, in its own words.

    >>> cause_of(PermissionError(errno.EACCES, "Permission denied", "metrics.parquet"))
    'Permission denied'
    """
    if isinstance(error, MemoryError):
        return "out of memory"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def remedy_of(error: BaseException) -> str:
    """What helps against an error of the machine.

    >>> remedy_of(OSError(errno.EMFILE, "Too many open files"))
    'raise the limit of open files (ulimit -n)'
    """
    number = getattr(error, "errno", None)
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return "free some memory"
    if number in _SPACE:
        return "free some space"
    if number in _ACCESS:
        return "allow this user to use it"
    if number in _TOO_MANY:
        return "raise the limit of open files (ulimit -n)"
    if isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError):
        return "remove what stands in its way"
    return "check the disk"
