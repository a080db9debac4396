"""Effect sizes, measured on runs: the numbers that claims are about."""

from __future__ import annotations

import functools

import numpy as np

from optexp_jax.analysis import block_traces
from optexp_jax.optim import SGD, Adam
from optexp_jax.plotting.curves import column, group_series
from optexp_jax.results.load import Results
from optexp_jax.results.selection import main_metric
from plots.figure import Method
from plots.runs import Chosen, Runs
from plots.trajectory import Trajectory, along, over_ranks

GD_PLAIN, ADAM_PLAIN = (SGD, False), (Adam, False)
GD, ADAM = (SGD, True), (Adam, True)
RAREST, MOST_FREQUENT = -1, 0


def overall(run: Results, step: int | None = None) -> float:
    """The training loss of all classes at a step, in nats; None for the end."""
    return float(column(run, main_metric(run.experiment), step).iloc[-1])


def groups(run: Results, step: int | None = None, metric: str | None = None) -> np.ndarray:
    """The loss of each group that has classes, most frequent first, at the last row by a step."""
    metric = metric or main_metric(run.experiment)
    series = [s for s in group_series(run, f"{metric}PerClass", step=step) if len(s)]
    return np.array([s.iloc[-1] for s in series])


def start(run: Results, metric: str | None = None) -> np.ndarray:
    """The same at step 0."""
    return groups(run, 0, metric)


def last(run: Results) -> int:
    """The last step of a run."""
    return int(run.table["step"].iloc[-1])


def rarest_over_start(run: Results, step: int | None = None, metric: str | None = None) -> float:
    """Loss of the rarest group over that at the start."""
    return float(groups(run, step, metric)[RAREST] / start(run, metric)[RAREST])


def rarest_gap(chosen: Chosen, step: int | None = None) -> float:
    """Loss of GD less that of Adam on the rarest group, both with momentum, in nats."""
    return float(
        groups(chosen.worst(*GD), step)[RAREST] - groups(chosen.worst(*ADAM), step)[RAREST]
    )


def overall_gap(chosen: Chosen) -> float:
    """Loss of GD less that of Adam on all classes, both with momentum, in nats."""
    return overall(chosen.worst(*GD)) - overall(chosen.worst(*ADAM))


def spread(run: Results, step: int | None = None) -> float:
    """Loss of the rarest group less that of the most frequent, in nats."""
    values = groups(run, step)
    return float(values[RAREST] - values[MOST_FREQUENT])


def early(run: Results) -> int:
    """A third of the run: where methods are compared before they fit everything."""
    return last(run) // 3


def rarest_ratio(chosen: Chosen, method: Method, other: Method, step: int | None = None) -> float:
    """Loss of a method over that of another on the rarest group."""
    a, b = (groups(chosen.worst(*m), step)[RAREST] for m in (method, other))
    return float(a / b)


def steps_to_halve(run: Results, group: int) -> float:
    """Steps until the loss of a group is half of its start; infinite if it never is."""
    series = [s for s in group_series(run, f"{main_metric(run.experiment)}PerClass") if len(s)][
        group
    ]
    below = series.index[series.to_numpy() <= series.iloc[0] / 2]
    return float(below[0]) if len(below) else float("inf")


# ---------------------------------------------------------------------------- gradients, Hessians


@functools.lru_cache(maxsize=32)
def _statistics(runs: Runs, module: str, method: Method, step: int, flipped: bool):
    trajectory = _trajectory(runs, module, method)
    return trajectory.groups, trajectory.rows_at(trajectory.check(step), flipped)


@functools.lru_cache(maxsize=4)
def _trajectory(runs: Runs, module: str, method: Method) -> Trajectory:
    return along(runs, module, method)


def hessian_correlation(
    runs: Runs, module: str, method: Method, step: int, flipped: bool = False
) -> float:
    """Correlation over classes of log Tr H_kk and log n_k at a step that was kept."""
    _, at = _statistics(runs, module, method, step, flipped)
    return _log_correlation(at.hessian_trace, at.examples)


def gradient_correlation(runs: Runs, module: str, method: Method, step: int) -> float:
    """Correlation over classes of log ‖∂L/∂w_k‖ and log Tr H_kk, likewise."""
    _, at = _statistics(runs, module, method, step, False)
    return _log_correlation(at.gradient_norm, np.where(at.examples > 0, at.hessian_trace, 0))


def _log_correlation(a: np.ndarray, b: np.ndarray) -> float:
    seen = (a > 0) & (b > 0)
    pair = np.log(a[seen]), np.log(b[seen])
    if min(np.ptp(pair[0]), np.ptp(pair[1])) < 1e-6:  # what is flat is correlated with nothing
        return 0.0
    return float(np.corrcoef(*pair)[0, 1])


def rarest_probability(runs: Runs, module: str, method: Method, step: int) -> float:
    """Mean predicted probability of the right class over the rarest group at a step."""
    classes, at = _statistics(runs, module, method, step, False)
    rare = [group for group in classes if len(group)][RAREST]
    seen = rare[at.examples[rare] > 0]
    return float(np.average(at.correct_probability[seen], weights=at.examples[seen]))


def diagonal_over_rest(runs: Runs, module: str, method: Method, step: int) -> float:
    """Median over classes of the trace of the diagonal block over the median of the others."""
    trajectory = _trajectory(runs, module, method)
    chosen = over_ranks(trajectory.run.class_counts)
    traces = np.abs(block_traces(*trajectory.layer_at(trajectory.check(step)), chosen))
    off = traces[~np.eye(len(traces), dtype=bool)]
    return float(np.median(np.diag(traces)) / np.median(off))
