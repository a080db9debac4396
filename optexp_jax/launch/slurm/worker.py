"""Inside a task: one process, which runs the runs of one pack as `--local` would."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Sequence
from pathlib import Path

from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.launch.display import Display
from optexp_jax.launch.local import Options, Outcome, run_local
from optexp_jax.launch.slurm.manifest import Manifest
from optexp_jax.results.store import RunFolder


def run_pack(
    path: Path,
    process: int,
    experiments: Sequence[Experiment],
    settings: Settings,
    display: Display,
) -> list[Outcome]:
    """Run what a manifest has for a process of this task.

    Args:
        path: of the manifest.
        process: number of the pack in the task.
        experiments: what the module declares, among which the pack is.
        settings: whose workspace is that of the manifest.
        display: what the log shows.

    Returns:
        what became of them.

    Raises:
        OptexpError: outside of a task, or the module no longer declares what was sent.
    """
    manifest = Manifest.read(path)
    chosen = _chosen(manifest, process, experiments)
    given = dict(manifest.options)
    force = given.pop("force", False)
    options = Options(**given)
    outcomes = []
    if force:
        old = [e for e in chosen if _began_before(e, settings.workspace, manifest.created)]
        outcomes.append(run_local(old, settings, dataclasses.replace(options, force=True), display))
    if not any(outcome.stopped for outcome in outcomes):
        outcomes.append(run_local(chosen, settings, options, display))
    return outcomes


def _chosen(
    manifest: Manifest, process: int, experiments: Sequence[Experiment]
) -> list[Experiment]:
    text = os.environ.get("SLURM_ARRAY_TASK_ID", "")
    if not text.isdigit():
        raise OptexpError("--task is what --slurm calls inside a task: call --local instead.")
    wanted = manifest.tasks[int(text)][process]
    declared = {(e.group, e.id): e for e in experiments}
    unknown = [run for run in wanted if run not in declared]
    if unknown:
        raise OptexpError(
            f"The code has changed since this was sent at commit {manifest.commit}: "
            f"{len(unknown)} of {len(wanted)} runs are not declared any more, such as "
            f"{unknown[0][1][:10]}. Submit again with --slurm."
        )
    return [declared[run] for run in wanted]


def _began_before(experiment: Experiment, workspace: Path, created: str) -> bool:
    """Whether a run began before the submission; one that this task began is not run twice."""
    started = RunFolder(workspace, experiment).read_status().get("started")
    read = datetime.datetime.fromisoformat
    return started is not None and read(started) < read(created)
