"""Plot the loss of frequency groups over time, one panel for each optimizer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Unpack, overload

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from optexp_jax.optim import Optimizer
from optexp_jax.plotting import page, style
from optexp_jax.plotting.available import chosen_runs, missing_note, require_some
from optexp_jax.plotting.best_run import (
    Looks,
    draw_methods,
    finish_axes,
    looks_of_best,
    tuned_values,
)
from optexp_jax.plotting.canvas import PageFigure
from optexp_jax.plotting.curves import Curve, group_series, groups_of, over_seeds
from optexp_jax.plotting.facets import facets
from optexp_jax.plotting.looks import Colors
from optexp_jax.plotting.names import Labels
from optexp_jax.plotting.options import HowBest, Log, Size, column_of, log_axes, require_one_panel
from optexp_jax.plotting.panel_grid import PANEL_HEIGHT, across, label_axes, panels_across
from optexp_jax.results.load import Results
from optexp_jax.results.selection import best_runs, worst_seed

_UNDER = 3.5  # points between a panel and the line under its title


@overload
def plot_per_class(
    results: Sequence[Results],
    n_groups: int | None = None,
    step: int | None = None,
    metric: str | None = None,
    x: str = "step",
    *,
    ax: None = None,
    **how: Unpack[HowBest],
) -> Figure: ...
@overload
def plot_per_class(
    results: Sequence[Results],
    n_groups: int | None = None,
    step: int | None = None,
    metric: str | None = None,
    x: str = "step",
    *,
    ax: Axes,
    **how: Unpack[HowBest],
) -> Axes: ...
def plot_per_class(
    results: Sequence[Results],
    n_groups: int | None = None,
    step: int | None = None,
    metric: str | None = None,
    x: str = "step",
    log: Log = None,
    *,
    over: Sequence[str] | None = None,
    facet: str | None = None,
    ax: Axes | None = None,
    figsize: Size = None,
    labels: Labels = None,
    colors: Colors = None,
) -> Figure | Axes:
    """Plot the loss of frequency groups over time, for the best run of each method.

    The first panel shows the loss of all classes together. Of several seeds the figure shows the
    one with the worst final loss. The data set defines the groups, from the most frequent classes
    to the least; empty groups are left out. Each problem has its own row of panels.

    Args:
        results: runs recorded with `per_class=True`; a note in the figure names missing ones.
        n_groups: number of groups; None for the data set's own groups.
        step: step at which runs are compared and the axis ends; None for the end of the runs.
        metric: a column of the tables, with or without `tr_`; None for the training loss.
        x: the axis, `step` or `epoch`.
        log: logarithmic axes: `x`, `y`, `both` or `none`; None for the usual ones.
        over: the fields that were tuned, see `best_runs`; methods that differ in other fields
            have separate panels. None for all fields: one panel for each method.
        facet: a field; each of its values has rows of panels, such as `batching.size`.
        ax: axes to draw the groups of one method on; None for a new figure.
        figsize: width and height in inches.
        labels: your own names of methods, see `looks`.
        colors: your own colours of methods, see `looks`.

    Returns:
        the figure, for `save`; or `ax`.

    Raises:
        OptexpError: there is nothing to draw, or the metric was not recorded by class.
    """
    require_some(results, step)
    metric, logs = column_of(results, metric), log_axes(log)
    rows = _rows(results, step, over, facet)
    batching = rows[0].first.experiment.problem.batching
    methods = [m for row in rows for m in row.runs]
    looks = looks_of_best(methods, over, batching, labels, colors)
    drawing = _Drawing(metric, n_groups, step, x, logs, looks, figsize is not None)
    if ax is not None:
        return _on_one(ax, rows, drawing)
    with style.context():
        figure, panels = _panels(rows, figsize)
        curves = [c for row, of in zip(rows, panels, strict=True) for c in drawing.row(of, row)]
        flat = [axes for row in panels for axes in row]
        drawing.finish(flat, curves)
        if len(rows) == 1:
            label_axes(flat, x.capitalize(), style.metric_label(metric))
        else:
            _label_rows(panels, x.capitalize(), style.metric_label(metric))
        handles, texts, title = _legend(rows, n_groups)
        note, fixed = missing_note(results, step), figsize is not None
        page.add_below(figure, handles, texts, note, title, fixed=fixed)
    return figure


class _Row(NamedTuple):
    """Hold the panels of a problem: a run of each method, and its tuned values."""

    title: str
    runs: dict[Optimizer, Results]
    tuned: dict[Optimizer, str]

    @property
    def first(self) -> Results:
        return next(iter(self.runs.values()))


class _Drawing(NamedTuple):
    """Hold how to draw panels."""

    metric: str
    n_groups: int | None
    step: int | None
    x: str
    logs: tuple[bool, bool]
    looks: Looks
    resized: bool = False

    def row(self, panels: Sequence[Axes], row: _Row) -> list[Curve]:
        """Return the panel of all classes, and one for each method."""
        alone = {method: [run] for method, run in row.runs.items()}
        drawn = draw_methods(
            panels[0], alone, self.metric, self.step, self.x, self.looks, row.tuned
        )
        curves = list(drawn.values())
        panels[0].set_title("\n".join(filter(None, (row.title, "All classes"))), pad=8)
        for axes, (method, run) in zip(panels[1:], row.runs.items(), strict=True):
            curves += self.groups(axes, run)
            set_title(
                axes, self.looks[method], run.experiment.optimizer, row.tuned[method], self.resized
            )
        return curves

    def groups(self, axes: Axes, run: Results) -> list[Curve]:
        return draw_groups(axes, run, self.metric, self.n_groups, self.step, self.x)

    def finish(self, panels: Sequence[Axes], curves: Sequence[Curve]) -> None:
        for axes in panels:
            finish_axes(axes, curves, self.metric, self.logs[1], ticks=3, log_x=self.logs[0])


def _rows(
    results: Sequence[Results], step: int | None, over: Sequence[str] | None, facet: str | None
) -> list[_Row]:
    found = facets(results, facet)
    rows = []
    for title, of in found:
        best = best_runs(of, step, over)
        tuned = {method: tuned_values(method, of, over) for method in best}
        if best:
            runs = {method: worst_seed(seeds, step) for method, seeds in best.items()}
            rows.append(_Row(title, runs, tuned))
    if not rows:
        chosen_runs(found[0].results, step, over)  # says why
    return rows


def _on_one(ax: Axes, rows: Sequence[_Row], drawing: _Drawing) -> Axes:
    """Draw the groups of one method on the caller's axes."""
    names = [
        f"{drawing.looks[m].label} {' '.join(row.title.split())}".strip()
        for row in rows
        for m in row.runs
    ]
    require_one_panel(names, ax)
    run = rows[0].first
    drawing.finish([ax], drawing.groups(ax, run))
    ax.set(xlabel=drawing.x.capitalize(), ylabel=style.metric_label(drawing.metric))
    ax.set_title(style.with_rate(names[0], run.experiment.optimizer))
    handles, texts, title = _legend(rows, drawing.n_groups)
    ax.legend(handles, texts, title=title.partition(":")[0])
    return ax


def _panels(rows: Sequence[_Row], figsize: Size) -> tuple[PageFigure, list[list[Axes]]]:
    """Make a figure with the panels of each row, starting on the left."""
    most = 1 + max(len(row.runs) for row in rows)
    if len(rows) == 1:
        figure, panels = panels_across(most, figsize)
        return figure, [panels]
    columns = across(most)
    lines = [math.ceil((1 + len(row.runs)) / columns) for row in rows]
    size = figsize or (page.WIDTH, sum(lines) * (PANEL_HEIGHT + 0.1))
    figure = PageFigure(figsize=size, layout="constrained")
    axes = figure.subplots(sum(lines), columns, sharey=True, squeeze=False)
    found, line = [], 0
    for row, count in zip(rows, lines, strict=True):
        of = list(axes[line : line + count].flat)
        for unused in of[1 + len(row.runs) :]:
            unused.remove()
        found.append(of[: 1 + len(row.runs)])
        line += count
    return figure, found


def _label_rows(panels: Sequence[Sequence[Axes]], below: str, beside: str) -> None:
    """Label each row on the left and at the bottom, since problems may differ in length."""
    for row in panels:
        label_axes(row, below if row is panels[-1] else "", beside)
        columns = across(len(row))
        for axes in row[-columns:]:
            axes.tick_params(labelbottom=True)


def _legend(rows: Sequence[_Row], n_groups: int | None) -> tuple[list[Artist], list[str], str]:
    """Make the legend of the groups; several problems share only their order."""
    found = [(groups_of(row.first, n_groups), row.first.class_counts) for row in rows]
    groups, counts = found[0]
    if all(np.array_equal(counts, other) for _, other in found):
        return group_legend(groups, counts)
    most = max(len(of) for of, _ in found)
    colors = style.group_colors(most)
    names = ["most frequent", *[""] * (most - 2), "least frequent"][:most]
    handles: list[Artist] = [Line2D([], [], color=color) for color in colors]
    return handles, names, "Groups of classes"


def set_title(
    axes: Axes, look: style.Look, optimizer: Optimizer, tuned: str = "", resized: bool = False
) -> None:
    """Set a title, underlined by the line of the method in the first panel.

    Args:
        axes: of the panel.
        look: of the method.
        optimizer: with its learning rate.
        tuned: its other best values.
        resized: whether the panel has another height than usual: the line keeps its distance.
    """
    title = style.title(look.label, optimizer) + (f"\n{tuned}" if tuned else "")
    axes.set_title(title, color=look.color, pad=8, linespacing=1.0)
    height, transform = 1.06, axes.transAxes
    if resized:
        up = ScaledTranslation(0, _UNDER / 72, axes.figure.dpi_scale_trans)
        height, transform = 1.0, axes.transAxes + up
    under = {"transform": transform, "clip_on": False, "linewidth": 1.2}
    axes.add_line(Line2D([0.3, 0.7], [height, height], **look.line(), **under))


def draw_groups(
    axes: Axes,
    run: Results,
    metric: str,
    n_groups: int | None,
    step: int | None,
    x: str,
    **line: Any,
) -> list[Curve]:
    """Draw one line per non-empty group, thinner for rarer classes so that none hides another.

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


def add_group_legend(
    figure: Figure, groups: Sequence[np.ndarray], counts: np.ndarray, note: str = ""
) -> None:
    """Add a legend of the non-empty groups: how many classes, and examples of each.

    Where each group is one class, its index tells them apart.
    """
    handles, labels, title = group_legend(groups, counts)
    page.add_below(figure, handles, labels, note, title=title)


def group_legend(
    groups: Sequence[np.ndarray], counts: np.ndarray
) -> tuple[list[Artist], list[str], str]:
    """Return lines, names and title of such a legend."""
    colored = zip(style.group_colors(len(groups)), groups, strict=True)
    shown = [(color, group) for color, group in colored if len(group)]
    single = all(len(group) == 1 for _, group in shown)
    labels = [f"class {group[0]}" if single else group_label(counts[group]) for _, group in shown]
    handles: list[Artist] = [Line2D([], [], color=color) for color, _ in shown]
    title = f"Groups of classes, most to least frequent: classes {style.TIMES} examples of each"
    return handles, labels, "Classes" if single else title


def group_label(counts: np.ndarray) -> str:
    """Say how many classes a group has, and how many examples each (a range if they differ)."""
    classes = "1 class" if len(counts) == 1 else f"{len(counts):,} classes"
    low, high = counts.min(), counts.max()
    return f"{classes} {style.TIMES} {low:,}" + (f"{style.TO}{high:,}" if high > low else "")
