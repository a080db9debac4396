"""The best run of each optimizer over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from optexp_jax.optim import Optimizer
from optexp_jax.plotting import page, style
from optexp_jax.plotting.available import chosen_runs, missing_note
from optexp_jax.plotting.curves import Curve, column, over_seeds
from optexp_jax.results.load import Results
from optexp_jax.results.selection import main_metric

_TOP = 2.0  # times the start: a loss beyond leaves the axes rather than flatten the others
_AXIS = {"step": "Step", "epoch": "Epoch"}


def best_over_time(
    results: Sequence[Results],
    step: int | None = None,
    metric: str | None = None,
    x: str = "step",
    log: bool = False,
) -> Figure:
    """A metric over time, of the best learning rate of each method.

    The line is the worst seed, the band the range over seeds. A linear axis of losses ends at twice
    their start.

    Args:
        results: runs of one problem; missing ones are named in a note.
        step: where rates are compared and the axis ends; None for the end of the runs.
        metric: a column of the tables, None for the training loss.
        x: the axis, `step` or `epoch`.
        log: whether the metric has a logarithmic axis.

    Raises:
        OptexpError: nothing to draw, or a metric that was not recorded.
    """
    runs = chosen_runs(results, step)
    metric = metric or main_metric(results[0].experiment)
    with style.context():
        figure = Figure(figsize=(page.WIDTH, 2.3), layout="constrained")
        axes = figure.subplots()
        drawn = draw_methods(axes, runs, metric, step, x)
        finish_axes(axes, list(drawn.values()), metric, log)
        axes.set(xlabel=_AXIS[x], ylabel=style.metric_label(metric))
        labels = [str(line.get_label()) for line in axes.get_lines()]
        note = missing_note(results, step)
        title = "Optimizer, best step size"
        page.add_below(figure, axes.get_lines(), labels, note, title, columns=4)
    return figure


def draw_methods(
    axes: Axes, runs: dict[Optimizer, list[Results]], metric: str, step: int | None, x: str
) -> dict[Optimizer, Curve]:
    """One line per method, labelled with its learning rate."""
    batching = next(iter(runs.values()))[0].experiment.problem.batching
    curves = {}
    for method, look in style.looks(list(runs), batching).items():
        chosen = runs[method]
        series = [column(r, metric, step) for r in chosen]
        curves[method] = over_seeds(metric, chosen, series, x)
        label = style.with_rate(look.label, chosen[0].experiment.optimizer)
        page.draw_curve(axes, curves[method], label=label, **look.line())
    return curves


def finish_axes(
    axes: Axes, curves: Sequence[Curve], metric: str, log: bool, ticks: int = 4
) -> None:
    """Limits from the first step to the last, from zero or a millionth of the start upwards."""
    axes.set_xlim(0, max(curve.x[-1] for curve in curves) or 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(ticks, integer=True, steps=[1, 2, 2.5, 5, 10]))
    start = max(curve.worst[0] for curve in curves)
    low = min(float(np.min(curve.low)) for curve in curves)
    high = max(float(np.max(curve.high)) for curve in curves)
    if "Loss" in metric and start > 0:
        high = min(high, _TOP * start)
    if log and high > 0:
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(0.7 * max(low, style.SMALLEST * start), 1.4 * high)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(ticks + 1, steps=[1, 2, 5, 10]))
        axes.set_ylim(min(0.0, 1.05 * low), 1.05 * high if high > 0 else 1.0)
