"""Train the runs of one pack in a process of a task, as `--local` would."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

import jax

from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.results.run_folders import RunFolders
from optexp_jax.results.store import RunFolder
from optexp_jax.runner.display import Display
from optexp_jax.runner.local import Outcome, run_local
from optexp_jax.runner.multihost import follow_first_process
from optexp_jax.runner.options import RunOptions
from optexp_jax.schedulers.known import all_schedulers
from optexp_jax.schedulers.manifest import Manifest
from optexp_jax.training.multihost import broadcast


def run_pack(
    path: Path,
    process: int,
    experiments: Sequence[Experiment],
    settings: Settings,
    display: Display,
) -> list[Outcome]:
    """Run the part of a manifest that belongs to a process of this task.

    Args:
        path: of the manifest.
        process: number of the pack in the task.
        experiments: all that the module declares, including those of the pack.
        settings: with the workspace of the manifest.
        display: what the log shows.

    Returns:
        the outcome of each run.

    Raises:
        OptexpError: outside of a task, or the module no longer declares a submitted run.
    """
    manifest = Manifest.read(path)
    scheduler = all_schedulers()[manifest.scheduler]
    chosen = _chosen(manifest, scheduler.task_index(), process, experiments)
    given = dict(manifest.options)
    force = given.pop("force", False)
    options = RunOptions(**given)
    if manifest.processes > 1:
        scheduler.join_processes()
        if jax.process_index():
            follow_first_process(settings)
            return []
    try:
        return list(_outcomes(chosen, settings, options, force and manifest.created, display))
    finally:
        broadcast(None)


def _outcomes(
    chosen: list[Experiment],
    settings: Settings,
    options: RunOptions,
    force: str | bool,
    display: Display,
) -> Iterator[Outcome]:
    """Run again the runs that began before the time in `force`, then the unfinished ones."""
    folders = RunFolders(settings.workspace)
    if force:
        old = [e for e in chosen if _began_before(folders[e], str(force))]
        again = dataclasses.replace(options, force=True)
        outcome = run_local(old, settings, again, display, folders)
        yield outcome
        if outcome.stopped:
            return
    yield run_local(chosen, settings, options, display, folders)


def _chosen(
    manifest: Manifest, index: int | None, process: int, experiments: Sequence[Experiment]
) -> list[Experiment]:
    tasks = manifest.tasks
    packs = tasks[index] if index is not None and index < len(tasks) else ()
    if not 0 <= process < len(packs):
        raise OptexpError(
            "Only --slurm may call --task, inside a task: use --local instead.",
            code="task-outside-of-scheduler",
        )
    wanted = packs[process]
    declared = {e.run_key: e for e in experiments}
    unknown = [run for run in wanted if run not in declared]
    if unknown:
        raise OptexpError(
            f"The code has changed since these runs were submitted at commit {manifest.commit}: "
            f"{len(unknown)} of {len(wanted)} runs are no longer declared, such as "
            f"{unknown[0][1][:10]}. Submit again with --slurm.",
            code="code-changed",
            commit=manifest.commit,
            unknown=len(unknown),
            wanted=len(wanted),
        )
    return [declared[run] for run in wanted]


def _began_before(folder: RunFolder, created: str) -> bool:
    """Check whether a run began before the submission; a run of this task does not run twice."""
    started = folder.read_status().get("started")
    read = datetime.datetime.fromisoformat
    return started is not None and read(started) < read(created)
