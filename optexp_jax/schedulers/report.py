"""Combine the status of runs in their files with the state of their tasks in schedulers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from optexp_jax.experiment import Experiment
from optexp_jax.schedulers.submission import tasks_of_runs


def states(
    experiments: Sequence[Experiment], statuses: Sequence[str], workspace: Path
) -> tuple[list[str], list[str]]:
    """Combine the status of runs in their files with the state of their tasks in schedulers.

    Args:
        experiments: the runs.
        statuses: of the runs, from their files.
        workspace: where they are.

    Returns:
        their states, and a sentence on each task that ended before its runs did.
    """
    tasks = tasks_of_runs(workspace)
    joined, sentences = [], {}
    for experiment, status in zip(experiments, statuses, strict=True):
        found = tasks.get(experiment.run_key)
        if found and found.is_alive and status in ("missing", "interrupted", "failed"):
            # Files on another machine may not show its locks.
            status = (
                "running"
                if status == "interrupted" and found.state.phase == "running"
                else "queued"
            )
        elif found and found.state.phase == "ended" and status in ("missing", "interrupted"):
            said = found.last_line or "it printed nothing"
            log = found.submission.log(found.index)
            sentences[found.task] = f"Task {found.task} ended as {found.state.word}: {said} ({log})"
        joined.append(status)
    return joined, list(sentences.values())
