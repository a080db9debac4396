"""Preparing a data set once, though several processes want it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from optexp_jax.datasets.base import origin_of
from optexp_jax.datasets.data import InFiles, Report, silent
from optexp_jax.datasets.data_files import unwritable
from optexp_jax.file_lock import try_lock, wait_for_lock


def prepare_once(dataset: InFiles, workspace: Path, report: Report = silent) -> None:
    """Prepare a data set unless that is done; of several processes, one does it, the others wait.

    Raises:
        OptexpError: it cannot be prepared.
    """
    if dataset.is_prepared(workspace):
        return
    # A small data set does not wait for a large one, unless they are made from the same files.
    lock = Path(workspace) / "datasets" / f".{origin_of(dataset)}.lock"
    with _locked(lock, report):
        if not dataset.is_prepared(workspace):
            dataset.prepare(workspace, report)


@contextlib.contextmanager
def _locked(path: Path, report: Report) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w", encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from error
    with handle:
        if not try_lock(handle):
            report("waiting for another process that prepares data", 0, 0)
            wait_for_lock(handle)
        yield
