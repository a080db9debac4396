"""Files of data sets: where they are, and what is said of those that are missing or damaged."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path

from optexp_jax.atomic_write import atomic_write
from optexp_jax.errors import OptexpError, cause_of, remedy_of


class MissingDataError(OptexpError):
    """A data set is not here; the message says how to get it."""


def folder_of(workspace: Path, name: str) -> Path:
    """The folder of a data set."""
    return Path(workspace) / "datasets" / name


def missing(
    name: str, looked_for: Sequence[str], where: Path, offline: str, also: Sequence[str] = ()
) -> str:
    """The sentence that says what is not there and how to get it.

    Args:
        name: of the data set.
        looked_for: names of files.
        where: the folder in which they were looked for.
        offline: what can be done without a network.
        also: what would have done as well, and is not there either.

    >>> where = Path("workspace/datasets/PTB")
    >>> print(missing("PTB", ["ptb.train.txt"], where, "Shakespeare can be used instead"))
    The data set PTB is not here: no ptb.train.txt in workspace/datasets/PTB; place it there, or
    run `python -m optexp_jax.datasets prepare PTB` where there is a network; offline, Shakespeare
    can be used instead.
    """
    them = "it" if len(looked_for) == 1 else "them"
    nor = f", nor {' or '.join(also)}" if also else ""
    return (
        f"The data set {name} is not here: no {', '.join(looked_for)} in {where}{nor}; place "
        f"{them} there, or run `python -m optexp_jax.datasets prepare {name}` where there is a "
        f"network; offline, {offline}."
    )


def needed_by(dataset: object, source: object, sentence: str | None) -> str | None:
    """The sentence of a missing source, for a data set that is made from it."""
    if sentence is None:
        return None
    name = type(source).__name__
    made = f"The data set {type(dataset).__name__} is made from {name}, which "
    return sentence.replace(f"The data set {name} ", made, 1)


@contextlib.contextmanager
def made_from(dataset: object, source: object) -> Iterator[None]:
    """Errors of a source, in the block, become those of a data set that is made from it."""
    try:
        yield
    except OptexpError as error:
        sentence = needed_by(dataset, source, str(error)) or ""
        raise type(error)(sentence, code=error.code, **error.values) from error


@contextlib.contextmanager
def atomic_data_write(target: Path) -> Iterator[Path]:
    """A path that becomes `target` at the end of the block; see `optexp_jax.atomic_write`.

    Raises:
        OptexpError: the folder cannot be written.
    """
    try:
        with atomic_write(target) as path:
            yield path
    except OSError as error:
        raise unwritable(target, error) from error


@contextlib.contextmanager
def reading(path: Path) -> Iterator[BufferedReader]:
    """A file opened to be read.

    Raises:
        OptexpError: it is gone, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise OptexpError(
            f"{path} cannot be read: {error.strerror or error}.",
            code="file-unreadable",
            path=path,
            cause=error.strerror or error,
        ) from error


def damaged(path: Path, why: str) -> OptexpError:
    """The error that names a file that was built here and is damaged, and the remedy."""
    return OptexpError(
        f"{path} is damaged ({why}): delete the folder {path.parent} and run again to renew it.",
        code="data-file-damaged",
        path=path,
        why=why,
    )


def unwritable(path: Path, error: OSError) -> OptexpError:
    """The error that names what cannot be written, why, and the remedy."""
    return OptexpError(
        f"{path} cannot be written ({cause_of(error)}): {remedy_of(error)}, or set "
        "OPTEXP_WORKSPACE to a folder in which you may write.",
        code="data-unwritable",
        path=path,
        cause=cause_of(error),
    )
