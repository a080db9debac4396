"""Collect final values of a metric by method and learning rate, for the grid plot."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from optexp_jax.optim import LearningRate, Optimizer
from optexp_jax.plotting import style
from optexp_jax.plotting.curves import column
from optexp_jax.results.load import Results
from optexp_jax.results.selection import (
    STABLE_FACTOR,
    has_diverged,
    is_finished,
    is_stable,
    method_of,
)

_DECADES = 2.0

Rates = dict[LearningRate, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Finals:
    """Hold final values of finished runs.

    Args:
        metric: the column.
        start: its value at step 0, the median of the runs.
        values: per method and learning rate (smallest first), one value per seed; a single NaN
            where a run diverged or its loss ended beyond the limit.
        unstable: methods and learning rates with values whose training loss exceeded the limit.
    """

    metric: str
    start: float
    values: dict[Optimizer, Rates]
    unstable: frozenset[tuple[Optimizer, LearningRate]]

    @property
    def limit(self) -> float:
        """Ten times the start of a loss; other metrics have none."""
        return limit_of(self.metric, self.start)

    @property
    def floor(self) -> float:
        """A millionth of the start: smaller losses are drawn there on a logarithmic axis."""
        return style.SMALLEST * self.start

    def lost(self) -> dict[Optimizer, list[float]]:
        """The learning rates without a value, for each method that has some."""
        lost = {
            m: [float(k) for k, v in r.items() if np.isnan(v[0])] for m, r in self.values.items()
        }
        return {method: rates for method, rates in lost.items() if rates}

    def shown(self) -> np.ndarray:
        """All existing values, and the start."""
        values = [v for rates in self.values.values() for v in rates.values()]
        together = np.concatenate([*values, [self.start]])
        return together[~np.isnan(together)]

    def spans_decades(self) -> bool:
        """Check whether losses differ so much that they need a logarithmic axis."""
        shown = self.shown()
        return (
            "Loss" in self.metric
            and self.start > 0
            and shown.max() > 10**_DECADES * max(shown.min(), 0.0)
        )

    def raised(self) -> Finals:
        """Return the same with all values raised to at least `floor`."""
        values = {
            method: {rate: np.maximum(v, self.floor) for rate, v in rates.items()}
            for method, rates in self.values.items()
        }
        return dataclasses.replace(self, values=values)


def limit_of(metric: str, start: float) -> float:
    """Return the limit beyond which a final value counts as lost."""
    return STABLE_FACTOR * start if "Loss" in metric else np.inf


def final_values(results: Sequence[Results], metric: str, step: int | None = None) -> Finals:
    """Collect the values of finished runs at their end, or at the last row up to a step.

    Args:
        results: runs of one problem, at least one of them recorded.
        metric: a column of the tables.
        step: where to look; None for the end.

    Raises:
        OptexpError: the metric was not recorded.
    """
    finished = [r for r in results if is_finished(r, step)]
    start = float(np.median([column(r, metric).iloc[0] for r in finished if len(r.table)]))
    by_rate: dict[Optimizer, dict[LearningRate, list[float]]] = {}
    for r in finished:
        optimizer = r.experiment.optimizer
        rates = by_rate.setdefault(method_of(optimizer), {})
        rates.setdefault(optimizer.learning_rate, []).append(_final(r, metric, step))
    limit = limit_of(metric, start)
    values = {
        method: {
            rate: np.array(rates[rate] if np.max(rates[rate]) <= limit else [np.nan])
            for rate in sorted(rates, key=float)
        }
        for method, rates in by_rate.items()
    }
    unstable = (r.experiment.optimizer for r in finished if not is_stable(r, step=step))
    pairs = {(method_of(o), o.learning_rate) for o in unstable}
    shown = frozenset((m, rate) for m, rate in pairs if not np.isnan(values[m][rate][0]))
    return Finals(metric, start, values, shown)


def _final(results: Results, metric: str, step: int | None) -> float:
    if has_diverged(results, step) or results.table.empty:
        return np.nan
    return float(column(results, metric, step).iloc[-1])
