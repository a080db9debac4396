"""Results of experiments as tables and arrays."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from optexp_jax.config import Settings
from optexp_jax.experiment import Experiment
from optexp_jax.results.store import FINISHED, RunFolder


@dataclasses.dataclass(frozen=True)
class Results:
    """What a run recorded so far.

    Args:
        experiment: its definition.
        status: done, running, interrupted, preempted, diverged, failed or missing.
        table: one row per recorded step, columns `step`, `epoch` and the metrics; deterministic.
        per_class: for each metric per class, means `[rows, num_classes]`, NaN for an empty class.
        per_class_steps: the steps of those rows, a subset of the steps of the table.
        class_counts: training examples per class, `[num_classes]`, empty if nothing was recorded.
        details: everything else of the run: steps, times, host, versions, reason of a failure.
    """

    experiment: Experiment
    status: str
    table: pd.DataFrame
    per_class: dict[str, np.ndarray]
    per_class_steps: np.ndarray
    class_counts: np.ndarray
    details: dict[str, object]


def load_results(experiment: Experiment, workspace: Path | str | None = None) -> Results:
    """What the workspace holds of an experiment, also while it runs.

    Args:
        experiment: the run.
        workspace: its folder, None for `OPTEXP_WORKSPACE` or else `./workspace`.

    Returns:
        `Results`; with status `missing` and empty tables if it was never run.

    Raises:
        OptexpError: a file of the run is damaged.
    """
    if workspace is None:
        workspace = Settings.from_env().workspace
    folder = RunFolder(Path(workspace), experiment)
    details = folder.read_status()
    status = folder.status()
    up_to = details.get("step") if status in FINISHED else None
    table, per_class, steps = folder.read_rows(up_to)
    return Results(
        experiment=experiment,
        status=status,
        table=table,
        per_class=per_class,
        per_class_steps=steps,
        class_counts=folder.class_counts(),
        details=details,
    )
