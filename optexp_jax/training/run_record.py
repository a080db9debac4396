"""Turn sums on the devices into rows of means, divided once, in float64."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from optexp_jax.experiment import Experiment
from optexp_jax.losses import Metric, recorded_metrics
from optexp_jax.metrics import SummedMetric, finished
from optexp_jax.schedule import Schedule
from optexp_jax.targets import targets_of
from optexp_jax.training.metrics import KEYS, MORE, by_class_key

SPLITS = ("tr", "va")


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """The rows of one run in one chunk.

    Args:
        experiment: the experiment of the run.
        status: `running`, `done` or `diverged` after the chunk.
        step: steps taken so far.
        table: name -> column `[rows]`: `step`, `epoch` and the metrics; cross-entropies in nats.
        per_class: name -> means by class, `[rows, num_classes]`, at the steps in `per_class_steps`.
        per_class_steps: steps with per-class metrics, a subset of the recorded steps.
        parameters: path -> array, if the experiment keeps parameters after this chunk, else None.
    """

    experiment: Experiment
    status: str
    step: int
    table: dict[str, np.ndarray]
    per_class: dict[str, np.ndarray]
    per_class_steps: np.ndarray
    parameters: dict[str, np.ndarray] | None = None


def columns(experiment: Experiment, schedule: Schedule, steps: np.ndarray, row: Any) -> dict:
    """Return the scalar columns of some rows.

    Args:
        experiment: the experiment of the run.
        schedule: the steps of the run.
        steps: the recorded steps, `[rows]`.
        row: sums of each row on the host, leaves `[at least rows, ...]`.

    Returns:
        name -> column `[rows]`: steps in steps, epochs in epochs, metrics and norms in float64.
    """
    row = jax.tree.map(lambda leaf: np.asarray(leaf)[: len(steps)].astype(np.float64), row)
    table = {"step": steps, "epoch": steps / schedule.steps_per_epoch}
    metrics = _metrics_of(experiment)
    for split in (s for s in SPLITS if s in row):
        sums = row[split]
        for key, metric in zip(KEYS, metrics, strict=False):
            table[f"{split}_{metric.name}"] = _ratio(sums[key], sums["count"])
        for metric in experiment.metrics:
            parts = sums[MORE][metric.name]
            if isinstance(metric, SummedMetric):
                found = metric.value(parts)
            else:
                found = finished(metric, _ratio(parts["total"], sums["count"]))
            table[f"{split}_{metric.name}"] = found
        if not _recorded_is_optimised(experiment):
            mean = _ratio(sums["objective"], sums["weight"])
            table[f"{split}_Objective"] = mean + row["penalty"]
    for kind in ("grad", "param"):
        norms = row[f"{kind}_norms"]
        table[f"{kind}_norm"] = np.sqrt(sum(norm**2 for norm in norms.values()))
        table |= {f"{kind}_norm/{path}": norm for path, norm in norms.items()}
    return table


def _metrics_of(experiment: Experiment) -> tuple[Metric, ...]:
    problem = experiment.problem
    return recorded_metrics(problem.loss, targets_of(problem.dataset))


def _recorded_is_optimised(experiment: Experiment) -> bool:
    return experiment.problem.loss.recorded_is_optimised and not experiment.problem.l2


def by_class(experiment: Experiment, count: int, row: Any) -> dict[str, np.ndarray]:
    """Return the mean of every metric in every class.

    Args:
        experiment: the experiment of the run.
        count: number of rows.
        row: sums of each row on the host, leaves `[at least count, num_classes]`.

    Returns:
        name -> means `[count, num_classes]`; NaN for a class without examples. Empty if the
        experiment records nothing by class.
    """
    arrays = {}
    double = experiment.problem.precision == "float64"
    for split in (s for s in SPLITS if s in row and experiment.per_class):
        examples = np.asarray(row[split]["class_count"])[:count]
        keyed = [(f"class_{k}", m) for k, m in zip(KEYS, _metrics_of(experiment), strict=True)]
        more = [m for m in experiment.metrics if not isinstance(m, SummedMetric)]
        for key, metric in keyed + [(by_class_key(metric), metric) for metric in more]:
            mean = finished(metric, _ratio(np.asarray(row[split][key])[:count], examples))
            arrays[f"{split}_{metric.name}PerClass"] = mean.astype(
                np.float64 if double else np.float32
            )
    return arrays


def _ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    total, count = total.astype(np.float64), count.astype(np.float64)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
