"""Files that are fetched over a network: whole and checked, or not at all."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from optexp_jax.datasets.data import Report
from optexp_jax.datasets.data_files import atomic_data_write
from optexp_jax.errors import OptexpError
from optexp_jax.extras import require

_TIMEOUT = 10.0  # seconds without an answer
_RETRIES = 2  # after one second, then after two
_BLOCK = 1 << 16  # bytes: a slow network reports often, too


class NoConnectionError(OptexpError):
    """There is no network connection."""


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


def fetch(
    name: str,
    remotes: Sequence[Remote],
    folder: Path,
    offline: str,
    report: Report,
    below: str = "",
) -> None:
    """Download files into a folder, one after the other, unless they are there.

    Args:
        name: of the data set, for messages.
        remotes: what to fetch.
        folder: where to, and where files can be placed by hand.
        offline: what can be done without a network, for messages.
        report: told the bytes that have come.
        below: fetch into this folder below the other.

    Raises:
        NoConnectionError: there is no network.
        OptexpError: one cannot be fetched, or is not what its source published; those before it are
            there.
    """
    require("run", "pooch", "requests")
    import requests  # late, to keep the import of data sets light

    wanted = [remote for remote in remotes if not (folder / below / remote.name).is_file()]
    for i, remote in enumerate(wanted):
        with atomic_data_write(folder / below / remote.name) as path:
            try:
                _download(remote, path, f"{name}: {remote.name}", report)
            except requests.RequestException as error:  # which is an OSError, but not of this disk
                left = ", ".join(other.name for other in wanted[i:])
                kind, why = _reason(error)
                raise kind(
                    f"The data set {name} cannot be downloaded ({why}): put {left} into {folder} "
                    f"yourself, or run this on a machine with a network; offline, {offline}.",
                    code="cannot-fetch",
                    dataset=name,
                    why=why,
                    missing=left,
                    folder=folder,
                ) from error
            except ValueError as error:  # pooch compares the checksum
                raise OptexpError(
                    f"The download of {remote.name} for {name} is damaged, or the file has "
                    f"changed: its checksum is not {remote.checksum}, which the source published. "
                    "Run the command again.",
                    code="download-damaged",
                    dataset=name,
                    file=remote.name,
                    checksum=remote.checksum,
                ) from error


def _reason(error: Exception) -> tuple[type[OptexpError], str]:
    import requests

    answer = getattr(error, "response", None)
    if answer is not None:
        return OptexpError, f"the server says {answer.status_code}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.ReadTimeout):
        return OptexpError, "the connection broke"
    return NoConnectionError, "no connection"


def _download(remote: Remote, path: Path, what: str, report: Report) -> None:
    """Fetch a file, again where that fails, and compare it with its checksum.

    Raises:
        requests.RequestException: the last attempt failed.
        ValueError: what came at last has another checksum.
    """
    import pooch

    def get(url: str, output: str, _: object) -> None:
        # Not pooch's own: that leaves the connection of an answer open that refuses.
        _get(url, Path(output), what, report)

    pooch.get_logger().setLevel(logging.ERROR)  # it would tell of every attempt
    registry: Any = {path.name: remote.checksum}
    source = pooch.create(
        path.parent,
        base_url="",
        registry=registry,
        urls={path.name: remote.url},
        retry_if_failed=_RETRIES,
    )
    source.fetch(path.name, downloader=cast(Any, get))


def _get(url: str, path: Path, what: str, report: Report) -> None:
    import requests

    # An answer that ends before its announced length is an error of the library, too.
    with requests.get(url, stream=True, timeout=_TIMEOUT) as answer, path.open("wb") as file:
        answer.raise_for_status()
        total, done = int(answer.headers.get("content-length", 0)), 0
        for block in answer.iter_content(_BLOCK):
            file.write(block)
            done += len(block)
            report(what, done, total)
