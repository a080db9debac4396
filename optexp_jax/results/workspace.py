"""Find the runs of a workspace in its folders.

A run is `experiments/<group>/<id>/` with an `experiment.json`, or `wandb_cache/<group>/<id>/` if it
came from wandb and was not run here. If its definition cannot be read, or has an unknown class, a
sentence reports the run, and the others are read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError, UnreadableError, unreadable
from optexp_jax.experiment import Experiment
from optexp_jax.optim import kind_of, momentum_of
from optexp_jax.results import checked_files
from optexp_jax.results.load import Results, read_results
from optexp_jax.results.run_folders import DOWNLOADED
from optexp_jax.results.store import RunFolder

DEFINITION = "experiment.json"
RUNS, PACKS = "experiments", "packs"  # folders: of groups, and of the checkpoints of a group
OWN, READABLE = (RUNS,), (RUNS, DOWNLOADED)  # where runs are that are kept up here, or read

_ID = re.compile(r"[0-9a-f]{64}")
_PREFIX = re.compile(r"[0-9a-f]{1,64}")


class UnreadRun(NamedTuple):
    """A run whose definition cannot be read."""

    path: Path
    sentence: str  # what is wrong, and what to do
    why: str  # code of the error


class RecordedRuns(NamedTuple):
    """The runs of a workspace or of a group."""

    runs: list[RunFolder]
    unread: list[UnreadRun]


# -- reading --------------------------------------------------------------------------------------


def groups(workspace: Path, roots: Sequence[str] = OWN) -> list[str]:
    """Return the sorted names of the groups; empty if there is no workspace.

    Args:
        workspace: folder of the workspace.
        roots: `OWN` for runs of this workspace, `READABLE` for downloaded ones, too.

    Raises:
        UnreadableError: the folder cannot be read.
    """
    found = {path.name for path in folders_in(workspace / RUNS)} if RUNS in roots else set()
    if DOWNLOADED in roots:  # where wandb kept its own files, once
        folders = folders_in(workspace / DOWNLOADED)
        found |= {f.name for f in folders if any(_ID.fullmatch(p.name) for p in folders_in(f))}
    return sorted(found)


def recorded_runs(workspace: Path, group: str | None = None) -> RecordedRuns:
    """Find the runs of a workspace, also downloaded ones, without their experiment modules.

    Args:
        workspace: folder of the workspace.
        group: name of a group; None for all.

    Returns:
        the runs, sorted by group, optimizer, learning rate, seed and id, and unreadable ones.

    Raises:
        OptexpError: there is no such group.
        UnreadableError: a folder cannot be read.
    """
    if group is not None:
        require_group(workspace, group, READABLE)
    return _read(workspace, run_paths(workspace, group, READABLE))


def own_runs(workspace: Path, group: str | None = None) -> RecordedRuns:
    """Find the runs of a workspace as `recorded_runs`, but without downloaded ones.

    Raises:
        OptexpError: there is no such group.
    """
    if group is not None:
        require_group(workspace, group)
    return _read(workspace, run_paths(workspace, group))


def _read(workspace: Path, paths: Iterable[Path]) -> RecordedRuns:
    found: list[RunFolder] = []
    unread: list[UnreadRun] = []
    for path in paths:
        try:
            found.append(run_at(workspace, path))
        except OptexpError as error:
            unread.append(UnreadRun(path, str(error), error.values.get("why", error.code)))
    return RecordedRuns(sorted(found, key=_place), unread)


def load_group(group: str, workspace: Path | str | None = None) -> list[Results]:
    """Load the results of a group, without the module that declared it.

    Args:
        group: its name, as `optexp results list` shows it.
        workspace: folder of the workspace; None for `OPTEXP_WORKSPACE`, or `./workspace` if that is
            not set.

    Returns:
        `Results` of all its runs, sorted by optimizer, learning rate and seed. Runs with a class
        that no imported module registers are left out.

    Raises:
        OptexpError: there is no such group.
        DamagedError: a file of a run is damaged.
    """
    folder = Settings.from_env().workspace if workspace is None else Path(workspace)
    return [read_results(run) for run in recorded_runs(folder, group).runs]


def run_paths(
    workspace: Path, group: str | None = None, roots: Sequence[str] = OWN
) -> Iterator[Path]:
    """Yield the folders of runs: those with a definition, or not empty and named by an id.

    Args:
        workspace: folder of the workspace.
        group: name of a group; None for all.
        roots: folders to search; a run in several of them is taken from the first.
    """
    for name in groups(workspace, roots) if group is None else [group]:
        seen: set[str] = set()
        for root in roots:
            here = [p for p in folders_in(workspace / root / name) if p.name not in seen]
            found = [path for path in here if _is_run(path)]
            seen |= {path.name for path in found}
            yield from found


def _is_run(path: Path) -> bool:
    named = _ID.fullmatch(path.name) and _is_begun(path)
    return bool(named) or os.path.lexists(path / DEFINITION)


def run_at(workspace: Path, path: Path) -> RunFolder:
    """Read the definition of the run in a folder.

    Raises:
        OptexpError: the definition is damaged, missing, of another run, or has a class that no
            imported module registers.
        UnreadableError: it cannot be read.
    """
    file = path / DEFINITION
    try:
        text = checked_files.read_bytes(file).decode(errors="replace")
        experiment = Experiment.from_json(text)
    except FileNotFoundError as error:
        raise checked_files.damaged(file, "it is gone", path) from error
    except RecursionError as error:
        raise checked_files.damaged(file, "not a definition", path) from error
    except OptexpError as error:
        if error.code == "path-unreadable":
            raise
        raise OptexpError(
            f"{file}: {error}", code="definition-unread", path=file, why=error.code
        ) from error
    root = path.parent.parent
    folder = RunFolder(workspace, experiment, root / experiment.group / experiment.id)
    if folder.path != path:
        raise OptexpError(
            f"{path} contains the run {folder.path.relative_to(workspace)}: move the folder there.",
            code="run-misplaced",
            path=path,
            place=folder.path,
        )
    return folder


# -- what a person names --------------------------------------------------------------------------


def require_group(workspace: Path, group: str, roots: Sequence[str] = OWN) -> None:
    """Raise an error for a name that no group has.

    Raises:
        OptexpError: there is no such group.
    """
    known = groups(workspace, roots)
    if group not in known:
        raise OptexpError(
            f"There is no group '{group}' in the workspace {workspace}: {_choice(known)}.",
            code="no-such-group",
            workspace=workspace,
            group=group,
            known=tuple(known),
        )


def run_path(workspace: Path, wanted: str, roots: Sequence[str] = OWN) -> Path:
    """Return the folder of a run from its id, the first digits of its id, or `GROUP/ID`.

    Args:
        workspace: folder of the workspace.
        wanted: the id as the user writes it.
        roots: folders to search.

    Raises:
        OptexpError: no run has this id, or several have it.
    """
    group, _, prefix = wanted.rpartition("/")
    if group:
        require_group(workspace, group, roots)
    found = []
    if _PREFIX.fullmatch(prefix):
        paths = run_paths(workspace, group or None, roots)
        found = [path for path in paths if path.name.startswith(prefix)]
    if not found:
        raise OptexpError(
            f"There is no run '{wanted}' in the workspace {workspace}: give the first digits of "
            "an id that `list GROUP` shows.",
            code="no-such-run",
            workspace=workspace,
            wanted=wanted,
        )
    if len(found) > 1:
        shown = ", ".join(f"{path.parent.name}/{path.name[:12]}" for path in found[:3])
        raise OptexpError(
            f"'{wanted}' matches {len(found)} runs, such as {shown}: give more digits, or "
            "GROUP/ID.",
            code="several-runs",
            wanted=wanted,
            number=len(found),
        )
    return found[0]


def _choice(known: list[str]) -> str:
    return f"choose from {', '.join(known)}" if known else "it has no runs yet"


# -- folders --------------------------------------------------------------------------------------


def folders_in(path: Path) -> list[Path]:
    """Return the sorted folders in a folder, without hidden ones; empty if it does not exist.

    Raises:
        UnreadableError: it cannot be read.
    """
    return [
        inside for inside in entries_of(path) if os.path.isdir(inside) and inside.name[0] != "."
    ]


def entries_of(path: Path) -> list[Path]:
    """Return the sorted entries of a folder; empty if it does not exist.

    Raises:
        UnreadableError: it cannot be read.
    """
    try:
        return [path / name for name in sorted(os.listdir(path))]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise unreadable(path, error) from error


def _is_begun(path: Path) -> bool:
    """Return whether a folder has more than the lock, which is made before a run starts."""
    try:
        return any(inside.name != ".lock" for inside in entries_of(path))
    except UnreadableError:
        return True


def _place(folder: RunFolder) -> tuple[object, ...]:
    experiment = folder.experiment
    optimizer = experiment.optimizer
    kind = kind_of(optimizer), momentum_of(optimizer)
    return experiment.group, *kind, optimizer.learning_rate, experiment.seed, experiment.id
