"""The loss of frequency groups over time, one panel for each optimizer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from optexp_jax.optim import Optimizer
from optexp_jax.plotting import page, style
from optexp_jax.plotting.available import chosen_runs, missing_note
from optexp_jax.plotting.best_run import draw_methods, finish_axes
from optexp_jax.plotting.curves import Curve, group_series, groups_of, over_seeds
from optexp_jax.results.load import Results
from optexp_jax.results.selection import main_metric, worst_seed

_MOST_ACROSS = 4
_PANEL_HEIGHT = 1.45  # inches


def per_class(
    results: Sequence[Results],
    n_groups: int | None = None,
    step: int | None = None,
    metric: str | None = None,
    x: str = "step",
    log: bool = False,
) -> Figure:
    """The loss of all classes, then by frequency group for the best run of each method.

    Of several seeds the one with the worst final loss is drawn. Groups are those of the data set,
    from the most frequent classes to the least; empty ones are not drawn.

    Args:
        results: runs of one problem, recorded with `per_class=True`; missing ones are named in a
            note.
        n_groups: number of groups, None for the data set's own.
        step: where rates are compared and the axis ends; None for the end of the runs.
        metric: a column of the tables, None for the training loss.
        x: the axis, `step` or `epoch`.
        log: whether the metric has a logarithmic axis.

    Returns:
        the figure, for `save`.

    Raises:
        OptexpError: nothing to draw, or a metric that was not recorded by class.
    """
    runs = {method: worst_seed(seeds, step) for method, seeds in chosen_runs(results, step).items()}
    metric = metric or main_metric(results[0].experiment)
    first = next(iter(runs.values()))
    groups = groups_of(first, n_groups)
    looks = style.looks(list(runs), first.experiment.problem.batching)
    with style.context():
        figure, panels = panels_across(len(runs) + 1)
        alone = {method: [run] for method, run in runs.items()}
        curves = list(draw_methods(panels[0], alone, metric, step, x).values())
        panels[0].set_title("All classes", pad=8)
        for axes, (method, run) in zip(panels[1:], runs.items(), strict=True):
            curves += draw_groups(axes, run, metric, n_groups, step, x)
            set_title(axes, looks[method], run.experiment.optimizer)
        for axes in panels:
            finish_axes(axes, curves, metric, log, ticks=3)
        label_axes(panels, x.capitalize(), style.metric_label(metric))
        add_group_legend(figure, groups, first.class_counts, missing_note(results, step))
    return figure


def _across(count: int) -> int:
    """Panels in a row: at most four, in rows of about equal length."""
    return math.ceil(count / math.ceil(count / _MOST_ACROSS))


def panels_across(count: int) -> tuple[Figure, list[Axes]]:
    """A figure of so many panels that share their vertical axis, in rows of at most four."""
    across = _across(count)
    rows = math.ceil(count / across)
    figure = Figure(figsize=(page.WIDTH, rows * _PANEL_HEIGHT), layout="constrained")
    panels = list(figure.subplots(rows, across, sharey=True, squeeze=False).flat)
    for unused in panels[count:]:
        unused.remove()
    return figure, panels[:count]


def set_title(axes: Axes, look: style.Look, optimizer: Optimizer) -> None:
    """A title underlined by the line that the method has in the first panel."""
    axes.set_title(style.title(look.label, optimizer), color=look.color, pad=8, linespacing=1.0)
    under = {"transform": axes.transAxes, "clip_on": False, "linewidth": 1.2}
    axes.add_line(Line2D([0.3, 0.7], [1.06, 1.06], **look.line(), **under))


def draw_groups(
    axes: Axes,
    run: Results,
    metric: str,
    n_groups: int | None,
    step: int | None,
    x: str,
    **line: Any,
) -> list[Curve]:
    """One line per group that is not empty, thinner for rarer classes so that none hides another.

    A group has the same colour whichever others are empty.
    """
    series = group_series(run, f"{metric}PerClass", n_groups, step)
    widths = np.linspace(1.4, 0.8, len(series))
    curves = []
    for values, color, width in zip(series, style.group_colors(len(series)), widths, strict=True):
        if len(values):
            curves.append(over_seeds(metric, [run], [values], x))
            look = {"color": color, "linewidth": width} | line
            page.draw_curve(axes, curves[-1], **look)
    return curves


def label_axes(panels: Sequence[Axes], below: str, beside: str) -> None:
    """Labels at the lowest panels and at the leftmost ones only."""
    across = _across(len(panels))
    for i, axes in enumerate(panels):
        lowest = i + across >= len(panels)
        axes.tick_params(labelbottom=lowest)
        axes.set_xlabel(below if lowest else "")
        axes.set_ylabel("" if i % across else beside)


def add_group_legend(
    figure: Figure, groups: Sequence[np.ndarray], counts: np.ndarray, note: str = ""
) -> None:
    """A legend of the groups that are not empty: how many classes, and examples of each.

    Where each group is one class, its index tells them apart.
    """
    colored = zip(style.group_colors(len(groups)), groups, strict=True)
    shown = [(color, group) for color, group in colored if len(group)]
    single = all(len(group) == 1 for _, group in shown)
    labels = [f"class {group[0]}" if single else group_label(counts[group]) for _, group in shown]
    handles = [Line2D([], [], color=color) for color, _ in shown]
    title = f"Groups of classes, most to least frequent: classes {style.TIMES} examples of each"
    page.add_below(figure, handles, labels, note, title="Classes" if single else title)


def group_label(counts: np.ndarray) -> str:
    """How many classes a group has, and how many examples each; a range where they differ."""
    classes = "1 class" if len(counts) == 1 else f"{len(counts):,} classes"
    low, high = counts.min(), counts.max()
    return f"{classes} {style.TIMES} {low:,}" + (f"{style.TO}{high:,}" if high > low else "")
