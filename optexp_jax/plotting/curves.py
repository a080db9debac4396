"""Make the curves of figures: a metric over time, for the worst seed, at about 200 points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from optexp_jax.errors import OptexpError
from optexp_jax.results.load import Results
from optexp_jax.results.selection import rows_until
from optexp_jax.schedule import thinned

POINTS = 200


class Curve(NamedTuple):
    """Hold a metric against steps or epochs: the worst seed, and the range over seeds."""

    x: np.ndarray
    worst: np.ndarray
    low: np.ndarray
    high: np.ndarray


def thin(count: int, points: int = POINTS) -> np.ndarray:
    """Choose which of `count` rows to draw: all, or half spaced linearly, half logarithmically.

    >>> thin(1001, 8)
    array([   0,    1,   10,  100,  333,  667, 1000])
    """
    return np.arange(count) if count <= points else thinned(count - 1, points)


def worst_of(metric: str, values: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Return the largest value, or the smallest of an accuracy."""
    return (np.min if "Accuracy" in metric else np.max)(values, axis=axis)


def column(results: Results, metric: str, step: int | None = None) -> pd.Series:
    """Return a recorded metric by step.

    Raises:
        OptexpError: the run did not record it.
    """
    rows = rows_until(results, step)
    values = rows[metric].to_numpy(float) if metric in rows.columns else np.empty(0)
    if not len(values) or np.isnan(values).all():
        known = ", ".join(c for c in results.table.columns if c.startswith(("tr_", "va_")))
        raise OptexpError(
            f"The runs did not record '{metric}': choose one of {known}.",
            code="not-recorded",
            metric=metric,
            known=known,
        )
    return pd.Series(values, rows["step"].to_numpy()).dropna()


def over_seeds(metric: str, runs: Sequence[Results], series: Sequence[pd.Series], x: str) -> Curve:
    """Return the worst seed and the range, thinned, on the steps that all seeds recorded.

    Args:
        metric: what the series are.
        runs: the runs they come from, one per seed.
        series: their values by step.
        x: the axis, `step` or `epoch`.

    Raises:
        OptexpError: there is no such axis.
    """
    if x not in ("step", "epoch"):
        raise OptexpError(
            f"The horizontal axis must be 'step' or 'epoch', not '{x}'.",
            code="unknown-axis",
            axis=x,
        )
    together = pd.concat(series, axis=1, join="inner")
    together = together.iloc[thin(len(together))]
    at = runs[0].table.set_index("step", drop=False).loc[together.index, x]
    values = together.to_numpy()
    worst = worst_of(metric, values, axis=1)
    return Curve(at.to_numpy(float), worst, values.min(axis=1), values.max(axis=1))


def groups_of(results: Results, n_groups: int | None = None) -> tuple[np.ndarray, ...]:
    """Return the frequency groups of the data set, by default its own."""
    return results.experiment.problem.dataset.groups(results.class_counts, n_groups)


def group_series(
    results: Results, metric: str, n_groups: int | None = None, step: int | None = None
) -> list[pd.Series]:
    """Average over each frequency group, by step; an empty group has an empty series.

    Groups are those of the training examples, weights those of the examples that were measured.

    Raises:
        OptexpError: the run did not record the metric by class.
    """
    values = results.per_class.get(metric)
    if values is None or not len(values):
        known = ", ".join(results.per_class) or "nothing by class: declare it with per_class=True"
        raise OptexpError(
            f"The runs did not record '{metric}'; they recorded {known}.",
            code="not-recorded-by-class",
            metric=metric,
            known=tuple(results.per_class),
        )
    steps = np.asarray(results.per_class_steps)
    shown = steps <= (steps[-1] if step is None else step)
    means = results.group_means(metric, groups_of(results, n_groups), shown)
    return [pd.Series(column, steps[shown]).dropna() for column in means.T]
