"""Exceptions whose messages are meant for the user, and what errors of the machine mean."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path
from typing import Any

_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS)
_TOO_MANY = (errno.EMFILE, errno.ENFILE)
_OF_THE_MACHINE = (*_SPACE, *_ACCESS, *_TOO_MANY, errno.ENOMEM, errno.EIO)


class OptexpError(ValueError):
    """An error that the user can fix: one sentence that names the problem and the remedy.

    The command line prints the sentence and exits with code 2; a program may catch it. A program
    reads the code and the values, never the sentence, which may be worded better at any time.

    Args:
        sentence: for the user.
        code: what is wrong, as a short name that stays.
        values: what the sentence names.

    >>> error = OptexpError("Size is 0: take 1 or more.", code="size-too-small", size=0)
    >>> str(error), error.code, error.values
    ('Size is 0: take 1 or more.', 'size-too-small', {'size': 0})
    """

    def __init__(self, sentence: str = "", /, *, code: str = "error", **values: Any) -> None:
        super().__init__(sentence)
        self.code = code
        self.values = values

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors travel between processes, and a value, such as a class of a notebook, may not.
        values = {name: _that_travels(value) for name, value in self.values.items()}
        return type(self), self.args, self.__dict__ | {"values": values}


def _that_travels(value: Any) -> Any:
    """A value itself where it can be pickled, else its text."""
    try:
        pickle.dumps(value)
    except Exception:  # pickle raises whatever the value raises
        return repr(value)
    return value


class DamagedError(OptexpError):
    """A file is damaged or missing."""


class UnreadableError(OptexpError):
    """A file cannot be read for an external reason: permissions, memory, open files."""


class UnwritableError(OptexpError):
    """The workspace cannot be written, so that no run in it can continue."""


class GoneError(OptexpError):
    """The folder of a run was moved or deleted during the run."""


def cause_of(error: BaseException) -> str:
    """Return the reason of an error of the operating system.

    >>> cause_of(PermissionError(errno.EACCES, "Permission denied", "metrics.parquet"))
    'Permission denied'
    """
    if isinstance(error, MemoryError):
        return "out of memory"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def remedy_of(error: BaseException) -> str:
    """Return the remedy for an error of the operating system.

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


def machine_error(error: BaseException) -> BaseException | None:
    """The error of the machine in what was raised, by its number or its text; None if none is.

    Libraries of other languages pass on what the machine says as text.

    >>> machine_error(ValueError("reading d/1: Too many open files [source.cc]"))
    OSError(24, 'Too many open files')
    >>> machine_error(ValueError("not a Parquet file"))
    """
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, MemoryError) or getattr(inner, "errno", None) in _OF_THE_MACHINE:
            return inner
        for number in _OF_THE_MACHINE:
            if os.strerror(number) in str(inner):
                return OSError(number, os.strerror(number))
        inner = inner.__cause__ or inner.__context__
    return None


def unreadable(path: Path, error: BaseException) -> UnreadableError:
    """The error that names a file or folder that cannot be read, why, and the remedy."""
    return UnreadableError(
        f"{path} cannot be read ({cause_of(error)}): {remedy_of(error)} and rerun the command; "
        "the file may be intact.",
        code="path-unreadable",
        path=path,
        cause=cause_of(error),
    )


def tell_from_damage(path: Path, error: BaseException) -> None:
    """Raise what the machine refused, before a file is called damaged.

    Args:
        path: of the file.
        error: raised while it was read.

    Raises:
        UnreadableError: the machine refused to read it.
    """
    cause = machine_error(error)
    if cause:
        raise unreadable(path, cause) from error
