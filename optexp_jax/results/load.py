"""Load results of experiments as tables and arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import pandas as pd

from optexp_jax.config import Settings
from optexp_jax.errors import DamagedError, OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.per_class import mean_by_group
from optexp_jax.results.run_folders import is_downloaded, to_read
from optexp_jax.results.sources import LOCAL, PAPER, SOURCES
from optexp_jax.results.store import RunFolder


@dataclasses.dataclass(frozen=True)
class Results:
    """The results of a run so far.

    Args:
        experiment: the definition of the run.
        status: done, running, interrupted, preempted, diverged, failed or missing.
        table: one row per recorded step, columns `step`, `epoch` and the metrics; deterministic.
        per_class: for each metric per class, means `[rows, num_classes]`, NaN for an empty class.
        per_class_steps: the steps of those rows, a subset of the steps of the table.
        class_counts: training examples per class, `[num_classes]`; empty if there are no rows.
        measured_counts: examples per class on which the metrics of `tr` and `va` are measured.
        details: everything else about the run: steps, times, host, versions, why it failed.
        source: where the rows come from, `workspace`, `wandb` or `paper`.
    """

    experiment: Experiment
    status: str
    table: pd.DataFrame
    per_class: dict[str, np.ndarray]
    per_class_steps: np.ndarray
    class_counts: np.ndarray
    details: dict[str, object]
    measured_counts: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    source: str = "workspace"

    def group_means(
        self, metric: str, groups: Sequence[np.ndarray], rows: Any = slice(None)
    ) -> np.ndarray:
        """Return means of a metric over the examples of groups of classes.

        Args:
            metric: a key of `per_class`.
            groups: index arrays.
            rows: which rows of `per_class`.

        Returns:
            `[rows, n_groups]`; NaN for a group that was not measured.
        """
        values = self.per_class[metric]
        counts = self.measured_counts.get(metric.partition("_")[0])
        if counts is None:  # results made by hand
            counts = np.where(np.isnan(values[0]), 0, self.class_counts)
        return mean_by_group(values[rows], counts, groups)


@overload
def load_results(
    experiments: Experiment, workspace: Path | str | None = None, source: str = "local"
) -> Results: ...
@overload
def load_results(
    experiments: Sequence[Experiment], workspace: Path | str | None = None, source: str = "local"
) -> list[Results]: ...
def load_results(
    experiments: Experiment | Sequence[Experiment],
    workspace: Path | str | None = None,
    source: str = "local",
) -> Results | list[Results]:
    """Load the results of experiments, also while they run.

    Args:
        experiments: a run, or a list of runs.
        workspace: folder of the workspace; None for `OPTEXP_WORKSPACE`, or `./workspace` if that is
            not set.
        source: `local` for your own runs, including those downloaded from wandb; `paper` for runs
            that the authors of the paper released, from their archive in the workspace.

    Returns:
        `Results`, or a list of them in the order given; with status `missing` and empty tables for
        a run that has not started or is not in the workspace.

    Raises:
        DamagedError: a file of the run is damaged or missing, or rows are missing.
        UnreadableError: a file cannot be read.
        OptexpError: an unknown source; a group that was not released, or a damaged archive.
    """
    if source not in SOURCES:
        raise OptexpError(
            f"There is no source '{source}': choose from {', '.join(SOURCES)}.",
            code="unknown-source",
            source=source,
            known=SOURCES,
        )
    if workspace is None:
        workspace = Settings.from_env().workspace
    if isinstance(experiments, Experiment):
        return _READ[source](experiments, Path(workspace))
    return [_READ[source](experiment, Path(workspace)) for experiment in experiments]


def _local(experiment: Experiment, workspace: Path) -> Results:
    return read_results(to_read(RunFolder(workspace, experiment)))


def _paper(experiment: Experiment, workspace: Path) -> Results:
    from optexp_jax.results import release_ids

    release_ids.require_released(experiment.group)
    return release_ids.load(experiment, workspace)


_READ: dict[str, Callable[[Experiment, Path], Results]] = {LOCAL: _local, PAPER: _paper}


def read_results(folder: RunFolder, by_class: bool = True) -> Results:
    """Load the results in the folder of a run; see `load_results`.

    Args:
        folder: of the run.
        by_class: whether to read arrays by class and class counts, too.
    """
    while True:
        details = folder.read_status()
        try:
            return _results(folder, details, by_class)
        except DamagedError:
            if folder.read_status() == details:
                raise
            # A process that ends the run has merged its files meanwhile: look again.


def _results(folder: RunFolder, details: dict[str, Any], by_class: bool) -> Results:
    rows = folder.read_rows(by_class)
    counts = folder.class_counts(details) if by_class else {"train": np.empty(0)}
    status = details.get("status", "missing")
    if status == "running" and not folder.is_locked():
        status = "interrupted"
    return Results(
        experiment=folder.experiment,
        status=status,
        table=rows.table,
        per_class=rows.per_class,
        per_class_steps=rows.steps,
        class_counts=counts.pop("train"),
        details=details,
        source="wandb" if is_downloaded(folder) else "workspace",
        measured_counts=counts,
    )
