"""Remove runs, and old checkpoints, compiled programs and leftovers."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from optexp_jax.atomic_write import is_left_behind, set_aside
from optexp_jax.errors import DamagedError, OptexpError, UnreadableError, unreadable
from optexp_jax.results import checked_files, status
from optexp_jax.results.locks import Lock
from optexp_jax.results.sizes import size_of
from optexp_jax.results.status import FINISHED
from optexp_jax.results.workspace import PACKS, RUNS, entries_of, folders_in, groups, run_paths

COMPILED = "compiled"
_DEPTHS = {RUNS: 4, "exports": 1, "plots": 2, "datasets": 3}  # where things are written aside


class Unneeded(NamedTuple):
    """A file or folder that is no longer needed.

    Args:
        kind: `checkpoints`, `compiled` or `leftover`.
        path: a file or a folder.
        bytes: size of its files in bytes.
    """

    kind: str
    path: Path
    bytes: int


# -- what is not needed ---------------------------------------------------------------------------


def unneeded(workspace: Path, every_program: bool = False) -> list[Unneeded]:
    """List the files and folders that `prune` removes.

    Args:
        workspace: folder of the workspace.
        every_program: whether to remove all compiled programs, not only those of other versions of
            JAX.

    Raises:
        UnreadableError: a folder cannot be read.
        OptexpError: all programs are to be removed while a run is active, or an active run does
            not name its version of JAX.
    """
    found = [("leftover", path) for path in leftovers(workspace)]
    for group in groups(workspace):
        needed = needed_checkpoints(workspace, group)
        for pack in folders_in(workspace / RUNS / group / PACKS):
            if needed is not None and pack.name not in needed:
                found.append(("checkpoints", pack))
    found += [("compiled", path) for path in _programs(workspace, every_program)]
    return [Unneeded(kind, path, size_of(path)) for kind, path in found]


def needed_checkpoints(workspace: Path, group: str) -> set[str | None] | None:
    """Return the packs of a group whose checkpoints its runs resume from, or write.

    Returns:
        their names; None if a status cannot be read, since it may name any of them.
    """
    needed: set[str | None] = {None}
    for path in run_paths(workspace, group):
        try:
            said = status.read(path / "status.json", path.name)
        except (DamagedError, UnreadableError):
            return None
        if said.get("status") not in FINISHED:
            needed |= {said.get("checkpoint")}
        if is_locked(path):
            needed |= {said.get("pack")}
    return needed


def undecided(workspace: Path) -> list[str]:
    """List groups with checkpoints that runs may need, since a status cannot be read."""
    return [
        group
        for group in groups(workspace)
        if folders_in(workspace / RUNS / group / PACKS)
        and needed_checkpoints(workspace, group) is None
    ]


def leftovers(workspace: Path) -> Iterator[Path]:
    """List unfinished files of processes that have ended."""
    for name, depth in _DEPTHS.items():
        yield from _left_behind(workspace / name, depth)


def _left_behind(folder: Path, depth: int) -> Iterator[Path]:
    for path in entries_of(folder):
        try:
            if is_left_behind(path):
                yield path
            elif depth > 0 and path.is_dir() and not path.is_symlink():
                yield from _left_behind(path, depth - 1)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unreadable(path, error) from error


def _programs(workspace: Path, every: bool) -> list[Path]:
    """List folders of compiled programs that are no longer needed.

    Their names hold the version of JAX, the device and the processor. Only the version decides:
    another machine with the workspace may have the device.
    """
    found = folders_in(workspace / COMPILED)
    if not found:
        return []
    busy = [path for path in run_paths(workspace) if is_locked(path)]
    if every and busy:
        raise locked(busy[0])
    kept = () if every else (importlib.metadata.version("jax"), *map(_version_of, busy))
    return [p for p in found if not any(p.name.startswith(f"{version}-") for version in kept)]


def _version_of(path: Path) -> str:
    """Return the version of JAX of an active run."""
    try:
        return status.read(path / "status.json", path.name)["versions"]["jax"]
    except (DamagedError, UnreadableError, KeyError) as error:
        raise locked(path) from error  # it may be any


# -- removing -------------------------------------------------------------------------------------


def remove(workspace: Path, things: list[Unneeded]) -> list[Unneeded]:
    """Remove files and folders, after a check that they are still not needed.

    Returns:
        those that were removed.

    Raises:
        UnwritableError: something cannot be removed; the rest stays.
    """
    removed = []
    for thing in things:
        if thing.kind == "checkpoints":
            # A run may have begun or stopped since; it writes its status before its checkpoint.
            needed = needed_checkpoints(workspace, thing.path.parent.parent.name)
            if needed is None or thing.path.name in needed:
                continue
        with checked_files.writing(workspace):
            _delete(thing.path)
        removed.append(thing)
    return removed


def remove_run(workspace: Path, path: Path) -> None:
    """Remove the folder of a run, by a rename first, so that it disappears at once.

    Raises:
        OptexpError: a process runs it.
        UnwritableError: it cannot be removed.
    """
    lock = Lock(path)
    with checked_files.writing(workspace):
        if path.is_dir() and not lock.take():
            raise locked(path)
        try:
            _delete(path)
        finally:
            lock.release()


def remove_group(workspace: Path, group: str) -> None:
    """Remove a group and all files in its folder, run by run.

    Raises:
        OptexpError: a process runs one of its runs; those before it are removed.
        UnwritableError: something cannot be removed.
    """
    folder = workspace / RUNS / group
    if not folder.is_symlink():
        require_unlocked(folders_in(folder))
        for path in run_paths(workspace, group):
            remove_run(workspace, path)
    with checked_files.writing(workspace):
        _delete(folder)


def require_unlocked(paths: list[Path]) -> None:
    """Refuse folders of runs if a process runs one of them.

    Raises:
        OptexpError: a process runs one of them.
    """
    for path in paths:
        if is_locked(path):
            raise locked(path)


def is_locked(path: Path) -> bool:
    """Return whether a process runs the run of a folder.

    Raises:
        UnreadableError: its lock cannot be read.
    """
    try:
        return Lock(path).is_taken()
    except OSError as error:
        raise unreadable(path / ".lock", error) from error


def locked(path: Path) -> OptexpError:
    """Return the error on a run that a process runs."""
    return OptexpError(
        f"A process is running {path}: wait until it ends, or stop it.",
        code="run-locked",
        path=path,
    )


def _delete(path: Path) -> None:
    """Remove a file, a folder or a link, but not the target of a link."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    aside = set_aside(path)
    os.replace(path, aside)
    shutil.rmtree(aside)
