"""Verify the files of a workspace, and find those that belong to no run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from optexp_jax.atomic_write import is_begun
from optexp_jax.errors import OptexpError
from optexp_jax.results import checked_files, pruning
from optexp_jax.results.integrity import require_recorded
from optexp_jax.results.load import read_results
from optexp_jax.results.status import FINISHED
from optexp_jax.results.store import RunFolder
from optexp_jax.results.workspace import PACKS, RUNS, entries_of, groups, run_at, run_paths

_FILES = re.compile(
    r"experiment\.json|status\.json|class_counts\.npz|error\.txt|\.lock|\.writable\..*"
    r"|metrics\.parquet|per_class\.npz|metrics-[0-9]+-.*\.parquet|per_class-[0-9]+-.*\.npz"
)
_KEPT = re.compile(r"step-[0-9]{10,}\.npz")


class Finding(NamedTuple):
    """A problem in a workspace.

    Args:
        kind: `damaged`, `unread` (a run with an unknown class), `misplaced`, `unreadable`, or
            `orphan` (it belongs to no run).
        path: the file or folder.
        sentence: what is wrong, and what to do.
    """

    kind: str
    path: Path
    sentence: str


_KINDS = {
    "file-damaged": "damaged",
    "path-unreadable": "unreadable",
    "run-misplaced": "misplaced",
    "no-checkpoint-readable": "damaged",
}


def findings_of_run(workspace: Path, path: Path) -> Iterator[Finding]:
    """Find problems of a run: read every file and count the rows.

    Args:
        workspace: folder of the workspace.
        path: folder of the run.
    """
    try:
        folder = run_at(workspace, path)
        require_whole(folder)
    except OptexpError as error:
        unknown = error.values.get("why") in ("unknown-class", "other-fields", "other-schema")
        kind = "unread" if unknown else _KINDS.get(error.code, "damaged")
        yield Finding(kind, path, str(error))
    yield from _strangers(path)


def require_whole(folder: RunFolder) -> None:
    """Compare all files of a run with their hashes, and its rows with its schedule.

    Raises:
        DamagedError: something is missing, damaged, or of another run.
        UnreadableError: a file cannot be read.
    """
    results = read_results(folder)
    if not results.details and (folder.final_files() or len(results.table)):
        raise checked_files.damaged(folder.path / "status.json", "it is gone", folder.path)
    require_recorded(folder.path, folder.experiment, results.details)
    _require_kept(folder, results.details)


def _require_kept(folder: RunFolder, said: Mapping[str, Any]) -> None:
    if said.get("status") in FINISHED and not folder.has_kept_before(said.get("step", 0)):
        reason = "parameters of keep_steps are gone"
        raise checked_files.damaged(folder.path / "parameters", reason, folder.path)


def _strangers(path: Path) -> Iterator[Finding]:
    """Return files in the folder of a run that do not belong to it."""
    for inside in entries_of(path):
        if inside.name == "parameters" and inside.is_dir():
            for kept in entries_of(inside):
                if not _KEPT.fullmatch(kept.name) and not is_begun(kept):
                    yield _orphan(kept, "is none of the parameters that its run kept")
        elif not _FILES.fullmatch(inside.name) and not is_begun(inside):
            yield _orphan(inside, "is no file of its run")


def findings_around(
    workspace: Path, check_checkpoint: Callable[[Path], object] | None = None
) -> Iterator[Finding]:
    """Find problems outside runs: checkpoints, and files that belong to no run.

    Args:
        workspace: folder of the workspace.
        check_checkpoint: raises an error if a folder of checkpoints cannot be read; called for
            those that runs need.
    """
    for inside in entries_of(workspace / RUNS):
        if not inside.is_dir() and not is_begun(inside):
            yield _orphan(inside, "is where the folder of a group should be")
    for group in groups(workspace):
        yield from _around_runs(workspace, group)
        packs = entries_of(workspace / RUNS / group / PACKS)
        needed = pruning.needed_checkpoints(workspace, group) if packs else set()
        for pack in packs:
            if needed is not None and pack.name not in needed:
                if not is_begun(pack):
                    yield _unneeded(pack)
            elif check_checkpoint and pack.is_dir():
                yield from _checked(pack, check_checkpoint)
    for path in pruning.leftovers(workspace):
        sentence = (
            f"{path} is left over from a process that has ended: `optexp results prune` removes it."
        )
        yield Finding("orphan", path, sentence)


def _around_runs(workspace: Path, group: str) -> Iterator[Finding]:
    known = set(run_paths(workspace, group))
    for inside in entries_of(workspace / RUNS / group):
        never_begun = inside.is_dir() and {e.name for e in entries_of(inside)} == {".lock"}
        if not (inside in known or inside.name == PACKS or is_begun(inside) or never_begun):
            yield _orphan(inside, "holds no definition of a run")


def _checked(pack: Path, check: Callable[[Path], object]) -> Iterator[Finding]:
    try:
        check(pack)
    except OptexpError as error:
        yield Finding(_KINDS.get(error.code, "damaged"), pack, str(error))


def _orphan(path: Path, what: str) -> Finding:
    return Finding("orphan", path, f"{path} {what}: move it elsewhere, or delete it.")


def _unneeded(pack: Path) -> Finding:
    sentence = f"No run needs the checkpoints {pack}: `optexp results prune` removes them."
    return Finding("orphan", pack, sentence)
