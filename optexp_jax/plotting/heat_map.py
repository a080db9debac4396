"""Plot the final metric over two hyperparameters, a panel for each method."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, TypedDict, Unpack, overload

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from optexp_jax.optim import LearningRate
from optexp_jax.plotting import page, style
from optexp_jax.plotting.available import missing_note, require_some
from optexp_jax.plotting.canvas import PageFigure
from optexp_jax.plotting.facets import BATCH, short
from optexp_jax.plotting.heat_map_values import HeatMap, heat_maps, other_field
from optexp_jax.plotting.names import Labels, as_mathematics, field_label
from optexp_jax.plotting.options import Log, Size, column_of, log_axes, require_one_panel
from optexp_jax.plotting.panel_grid import across
from optexp_jax.results.fields import RATE
from optexp_jax.results.load import Results

_DECADE = 10.0  # the largest value over the smallest, from which colours are logarithmic
_CELL = 0.3  # inches
_NAMED = 18  # values of horizontal axes that are named, of all panels of a row
_NUMBERS = 64  # cells of a panel that hold their number
_LOST = {"facecolor": "0.88", "edgecolor": "0.55", "hatch": "xxxx", "linewidth": 0.0}


class HowMap(TypedDict, total=False):
    """Hold how a heat map looks; see `plot_heat_map`."""

    step: int | None
    metric: str | None
    log: Log
    figsize: Size
    labels: Labels
    cmap: str


@overload
def plot_heat_map(
    results: Sequence[Results],
    x: str = RATE,
    y: str | None = None,
    *,
    ax: None = None,
    **how: Unpack[HowMap],
) -> Figure: ...
@overload
def plot_heat_map(
    results: Sequence[Results],
    x: str = RATE,
    y: str | None = None,
    *,
    ax: Axes,
    **how: Unpack[HowMap],
) -> Axes: ...
def plot_heat_map(
    results: Sequence[Results],
    x: str = RATE,
    y: str | None = None,
    *,
    step: int | None = None,
    metric: str | None = None,
    log: Log = None,
    ax: Axes | None = None,
    figsize: Size = None,
    labels: Labels = None,
    cmap: str = style.HEAT,
) -> Figure | Axes:
    """Plot the final metric over two fields as a heat map, and mark the best cell of each method.

    A cell shows the worst seed, at the best values of the other tuned fields. Cells are hatched if
    every run diverged or ended above ten times its initial loss, and blank if there is no run.
    Colours are logarithmic if losses span a decade.

    Args:
        results: runs; a note in the figure names missing ones.
        x: a field, such as `learning_rate`, `momentum` or `batching.size`.
        y: another field; None for the first other field that was tuned.
        step: step at which to compare; None for the end of the runs.
        metric: a column of the tables, with or without `tr_`; None for the training loss. The
            training loss always decides which cell is best.
        log: whether colours are logarithmic: `y` or `none`.
        ax: axes to draw on, for runs of one method; None for a new figure.
        figsize: width and height in inches.
        labels: your own names of methods, see `looks`.
        cmap: colour map of Matplotlib.

    Returns:
        the figure, or `ax`.

    Raises:
        OptexpError: there is nothing to draw, or no method has several values of the fields.
    """
    require_some(results, step)
    metric = column_of(results, metric)
    y = other_field(results, x) if y is None else y
    found = heat_maps(results, (x, y), step, metric, labels)
    require_one_panel([m.title for m in found], ax)
    norm = _norm(found, metric, log)
    drawn = ScalarMappable(norm, matplotlib.colormaps[cmap])
    if ax is not None:
        _draw(ax, found[0], drawn)
        ax.set(xlabel=_axis_label(x), ylabel=_axis_label(y))
        _add_bar(ax.figure, drawn, [ax], metric)
        return ax
    with style.context():
        figure, panels = _panels(found, figsize)
        for axes, one in zip(panels, found, strict=True):
            _draw(axes, one, drawn, _NAMED // across(len(found)))
            axes.set_title(one.title, pad=6)
        for i, axes in enumerate(panels):
            axes.set_ylabel("" if i % across(len(panels)) else _axis_label(y))
            axes.set_xlabel(_axis_label(x))
        _add_bar(figure, drawn, panels, metric)
        star = Line2D([], [], **_STAR)
        lost = Patch(**_LOST)
        words = f"diverged, or > 10 {style.TIMES} start" if "Loss" in metric else "diverged"
        note, fixed = missing_note(results, step), figsize is not None
        page.add_below(figure, [star, lost], ["chosen", words], note, fixed=fixed)
    return figure


_STAR: dict[str, Any] = {
    "marker": "*", "markersize": 9, "color": "white", "markeredgecolor": "black",
    "markeredgewidth": 0.7, "linestyle": "",
}  # fmt: skip


def _norm(found: Sequence[HeatMap], metric: str, log: Log) -> Normalize:
    shown = np.concatenate([m.values[np.isfinite(m.values)] for m in found])
    if not shown.size:
        return Normalize(0.0, 1.0)
    low, high = float(shown.min()), float(shown.max())
    _, wanted = log_axes(log, y="Loss" in metric and high > _DECADE * max(low, 0.0))
    if wanted and high > 0:
        return LogNorm(max(low, style.SMALLEST * high), high, clip=True)
    return Normalize(low, high if high > low else low + 1.0)


def _panels(found: Sequence[HeatMap], figsize: Size) -> tuple[PageFigure, list[Axes]]:
    columns = across(len(found))
    rows = -(-len(found) // columns)
    height = min(2.6, 0.75 + _CELL * max(len(m.y) for m in found))
    figure = PageFigure(figsize=figsize or (page.WIDTH, rows * height), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for unused in panels[len(found) :]:
        unused.remove()
    return figure, panels[: len(found)]


def _draw(axes: Axes, one: HeatMap, drawn: ScalarMappable, most: int = _NAMED // 2) -> None:
    rows, columns = one.values.shape
    norm: Any = drawn.norm
    axes.pcolormesh(
        np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5, np.ma.masked_invalid(one.values),
        cmap=drawn.cmap, norm=norm, edgecolors="white", linewidth=0.4,
    )  # fmt: skip
    for row, col in one.lost:
        axes.add_patch(Rectangle((col - 0.5, row - 0.5), 1, 1, **_LOST))
    if rows * columns <= _NUMBERS:
        _write_numbers(axes, one, drawn)
    if one.best is not None:
        row, col = one.best
        axes.plot([col], [row], **_STAR)
    _name_ticks(axes.xaxis, one.fields[0], one.x, most)
    _name_ticks(axes.yaxis, one.fields[1], one.y, _NAMED // 2)
    axes.tick_params(length=0)
    axes.grid(False)


def _write_numbers(axes: Axes, one: HeatMap, drawn: ScalarMappable) -> None:
    rows, columns = one.values.shape
    for row, col in itertools.product(range(rows), range(columns)):
        value = one.values[row, col]
        if np.isfinite(value) and (row, col) != one.best:
            red, green, blue, _ = drawn.to_rgba(value)
            dark = 0.3 * red + 0.6 * green + 0.1 * blue < 0.5
            axes.text(
                col, row, f"{value:.2g}", ha="center", va="center", fontsize=style.SMALL - 2,
                color="white" if dark else "black",
            )  # fmt: skip


def _name_ticks(axis: Axis, field: str, values: list[Any], most: int) -> None:
    places = range(0, len(values), -(-len(values) // most))
    axis.set_ticks(list(places), [_tick(field, values[i]) for i in places])


def _tick(field: str, value: Any) -> str:
    if value is None:
        return "full" if field == BATCH else "none"
    return style.rate_label(value) if isinstance(value, LearningRate) else short(value)


def _axis_label(field: str) -> str:
    words = field_label(field)
    return as_mathematics(words[:1].upper() + words[1:])


def _add_bar(figure: Any, drawn: ScalarMappable, panels: Sequence[Axes], metric: str) -> None:
    bar = figure.colorbar(drawn, ax=list(panels), shrink=0.9, pad=0.02, aspect=18)
    bar.set_label(f"{style.metric_label(metric)}\nat the end")
    bar.ax.tick_params(labelsize=style.SMALL - 1)
