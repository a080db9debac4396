"""Files of data sets: where they are, whole or not at all, checked, and fetched on request only."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path

from optexp_jax.aside import aside as written_aside
from optexp_jax.datasets.data import InFiles, Report, silent
from optexp_jax.errors import OptexpError

_TIMEOUT = 10.0  # seconds without an answer
_BLOCK = 1 << 20  # bytes


class MissingDataError(OptexpError):
    """A data set is not here; the message says how to get it."""


class NoConnectionError(OptexpError):
    """Nothing can be fetched from here."""


def folder_of(workspace: Path, name: str) -> Path:
    """The folder of a data set."""
    return Path(workspace) / "datasets" / name


def missing(name: str, looked_for: Sequence[str], where: Path, offline: str) -> str:
    """The sentence that says what is not there and how to get it.

    >>> where = Path("workspace/datasets/PTB")
    >>> print(missing("PTB", ["ptb.train.txt"], where, "Shakespeare can be used instead"))
    The data set PTB is not here: no ptb.train.txt in workspace/datasets/PTB; place it there, or
    run `python -m optexp_jax.datasets prepare PTB` where there is a network; offline, Shakespeare
    can be used instead.
    """
    them = "it" if len(looked_for) == 1 else "them"
    return (
        f"The data set {name} is not here: no {', '.join(looked_for)} in {where}; place {them} "
        f"there, or run `python -m optexp_jax.datasets prepare {name}` where there is a network; "
        f"offline, {offline}."
    )


@contextlib.contextmanager
def aside(target: Path) -> Iterator[Path]:
    """A path that becomes `target` at the end of the block; see `optexp_jax.aside`.

    Raises:
        OptexpError: the folder cannot be written.
    """
    try:
        with written_aside(target) as path:
            yield path
    except OSError as error:
        raise _unwritable(target, error) from error


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
        raise OptexpError(f"{path} cannot be read: {error.strerror or error}.") from error


def damaged(path: Path, why: str) -> OptexpError:
    """The error that names a file that was built here and is damaged, and the remedy."""
    return OptexpError(
        f"{path} is damaged ({why}): delete the folder {path.parent} and run again to renew it."
    )


def _unwritable(path: Path, error: OSError) -> OptexpError:
    return OptexpError(
        f"{path} cannot be written ({error.strerror or error}): free space there, or set "
        "OPTEXP_WORKSPACE to a folder that can be written to."
    )


def prepare_once(dataset: InFiles, workspace: Path, report: Report = silent) -> None:
    """Prepare a data set unless it is; of several processes, one does it and the others wait.

    Raises:
        OptexpError: it cannot be prepared.
    """
    if dataset.is_prepared(workspace):
        return
    with _locked(Path(workspace) / "datasets" / ".lock", report):
        if not dataset.is_prepared(workspace):
            dataset.prepare(workspace, report)


@contextlib.contextmanager
def _locked(path: Path, report: Report) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w")
    except OSError as error:
        raise _unwritable(path, error) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for another process that prepares data", 0, 0)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@dataclasses.dataclass(frozen=True)
class Remote:
    """A file that can be fetched.

    Args:
        name: of the file in the folder of the data set.
        url: where it is.
        checksum: `md5:...` or `sha256:...` where its source publishes one.
    """

    name: str
    url: str
    checksum: str | None = None


def fetch(name: str, remote: Remote, folder: Path, report: Report) -> Path:
    """Fetch a file into a folder unless it is there; it is there whole and checked, or not at all.

    Args:
        name: of the data set, for messages.
        remote: what to fetch.
        folder: where to.
        report: told the bytes that have come.

    Returns:
        the file.

    Raises:
        NoConnectionError: there is no network.
        OptexpError: it cannot be fetched, or is not what its source published.
    """
    import requests  # late, to keep the import of data sets light

    target = folder / remote.name
    if target.is_file():
        return target
    with aside(target) as path:
        try:
            found = _download(remote, path, f"{name}: {remote.name}", report)
        except requests.RequestException as error:
            answer = error.response
            kind = NoConnectionError if answer is None else OptexpError
            why = "no connection" if answer is None else f"the server says {answer.status_code}"
            raise kind(
                f"The data set {name} cannot be fetched ({why}): run this where there is a "
                f"network, or place {remote.name} in {folder} by hand."
            ) from error
        if remote.checksum not in (None, found):
            raise OptexpError(
                f"{remote.name} of the data set {name} came damaged or changed: its checksum is "
                f"{found}, its source published {remote.checksum}; run the command again."
            )
    return target


def _download(remote: Remote, path: Path, what: str, report: Report) -> str:
    """Fetch a file and return its checksum, of the kind that its source publishes."""
    import requests

    kind = (remote.checksum or "sha256").partition(":")[0]
    digest, done = hashlib.new(kind), 0
    # An answer that ends before its announced length is an error of the library, too.
    with requests.get(remote.url, stream=True, timeout=_TIMEOUT) as answer, path.open("wb") as file:
        answer.raise_for_status()
        total = int(answer.headers.get("content-length", 0))
        for block in answer.iter_content(_BLOCK):
            file.write(block)
            digest.update(block)
            done += len(block)
            report(what, done, total)
    return f"{kind}:{digest.hexdigest()}"
