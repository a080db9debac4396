"""Copy finished runs from another workspace."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from optexp_jax.atomic_write import atomic_write, is_begun
from optexp_jax.errors import OptexpError, UnwritableError, unreadable
from optexp_jax.results import checked_files
from optexp_jax.results.integrity import require_recorded
from optexp_jax.results.status import FINISHED
from optexp_jax.results.store import RunFolder
from optexp_jax.results.verifying import require_whole
from optexp_jax.results.workspace import RUNS, entries_of, run_at, run_paths

COPIED, EQUAL, LEFT, REFUSED = "copied", "equal", "left", "refused"


class Merged(NamedTuple):
    """The outcome for a run of the other workspace.

    Args:
        what: `copied`; `equal` if both workspaces have it; `left` if it has not ended, or a process
            runs it in this workspace; or `refused`.
        run: `<group>/<id>`.
        sentence: why it was left or refused; else empty.
    """

    what: str
    run: str
    sentence: str = ""


def merge(workspace: Path, other: Path, paths: Iterable[Path] | None = None) -> Iterator[Merged]:
    """Copy the finished runs of another workspace that this one lacks or has not finished.

    Each run is copied completely or not at all. Runs that ended in this workspace stay unchanged.

    Args:
        workspace: the workspace to copy to.
        other: the workspace to copy from; it is not changed.
        paths: folders of the runs to copy; None for all.

    Yields:
        the outcome of each run, as soon as it is known.

    Raises:
        OptexpError: `other` is no workspace, or this one.
        UnwritableError: this one cannot be written; what was copied before is whole.
    """
    require_other(workspace, other)
    for path in run_paths(other) if paths is None else paths:
        run = f"{path.parent.name}/{path.name}"
        try:
            yield _taken_over(workspace, other, path, run)
        except UnwritableError:
            raise
        except OptexpError as error:
            yield Merged(REFUSED, run, str(error))


def require_other(workspace: Path, other: Path) -> None:
    """Refuse a folder that is not another workspace.

    Raises:
        OptexpError: it holds no runs, or is this workspace.
    """
    if not (other / RUNS).is_dir():
        raise OptexpError(
            f"{other} is not a workspace: name a folder that contains a folder '{RUNS}'.",
            code="not-a-workspace",
            path=other,
        )
    if workspace.exists() and os.path.samefile(workspace, other):
        raise OptexpError(
            f"{other} is this workspace: name another, or set OPTEXP_WORKSPACE.",
            code="same-workspace",
            path=other,
        )


def _taken_over(workspace: Path, other: Path, path: Path, run: str) -> Merged:
    theirs = run_at(other, path)
    mine = RunFolder(workspace, theirs.experiment)
    if theirs.read_status().get("status") not in FINISHED:
        return Merged(
            LEFT, run, f"{run} has not ended in {other}: finish it there and merge again."
        )
    require_whole(theirs)
    if mine.has_ended() or mine.damage():
        require_equal(theirs, mine)
        return Merged(EQUAL, run)
    checked_files.require_writable(workspace)
    with mine.lock() as free:
        if not free:
            return Merged(LEFT, run, f"A process is running {mine.path}: merge again later.")
        try:
            _copy(theirs, mine)
        finally:
            _forget_if_empty(mine.path)
    return Merged(COPIED, run)


def require_equal(theirs: RunFolder, mine: RunFolder) -> None:
    """Refuse two finished runs of one id that recorded different rows, bit for bit.

    Raises:
        OptexpError: they differ, or one is damaged.
    """
    require_whole(mine)
    if _recorded(theirs) != _recorded(mine):
        raise OptexpError(
            f"{mine.path} and {theirs.path} contain different rows of the same run: remove one of "
            "the two folders and merge again.",
            code="rows-differ",
            mine=mine.path,
            theirs=theirs.path,
        )


def _recorded(folder: RunFolder) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Return name -> type, shape and bytes of each column and array of a run."""
    rows = folder.read_rows()
    columns = {f"metrics {name}": rows.table[name].to_numpy() for name in rows.table}
    arrays = {f"per_class {name}": array for name, array in rows.per_class.items()}
    every: dict[str, np.ndarray] = columns | arrays | {"per_class step": rows.steps}
    return {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in every.items()}


def _copy(theirs: RunFolder, mine: RunFolder) -> None:
    """Copy the folder of a run; it replaces one that has not ended."""
    said = theirs.read_status()

    def copy(source: str, target: str) -> None:
        # Else `copytree` would go on with the other files, and blame nobody in particular.
        with _reading(source), checked_files.writing(mine.workspace):
            shutil.copy2(source, target)

    with checked_files.writing(mine.workspace), atomic_write(mine.path) as new:
        shutil.copytree(theirs.path, new, ignore=_not_of_the_run, copy_function=copy)
        require_recorded(new, theirs.experiment, said)


@contextlib.contextmanager
def _reading(path: str) -> Iterator[None]:
    """Refuse a file that cannot be opened, before anything is said about where it is written."""
    try:
        open(path, "rb").close()
    except OSError as error:
        raise unreadable(Path(path), error) from error
    yield


def _not_of_the_run(folder: str, names: list[str]) -> list[str]:
    """The lock, what is written aside, and links to nothing."""
    paths = [Path(folder, name) for name in names]
    return [p.name for p in paths if p.name == ".lock" or is_begun(p) or not p.exists()]


def _forget_if_empty(path: Path) -> None:
    """Remove the folder that was made for its lock only, where nothing was copied."""
    if [inside.name for inside in entries_of(path)] == [".lock"]:
        shutil.rmtree(path, ignore_errors=True)
