"""Plot the final metric of every run against its learning rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Unpack, overload

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from optexp_jax.optim import LearningRate, Optimizer, has_rate
from optexp_jax.plotting import page, style
from optexp_jax.plotting.available import missing_note, require_some
from optexp_jax.plotting.canvas import PageFigure
from optexp_jax.plotting.curves import worst_of
from optexp_jax.plotting.facets import facets
from optexp_jax.plotting.finals import Finals, final_values
from optexp_jax.plotting.looks import Colors, in_order
from optexp_jax.plotting.names import Labels
from optexp_jax.plotting.options import How, Log, Size, column_of, log_axes, require_one_panel
from optexp_jax.plotting.panel_grid import across, best_of, label_axes, panels_across
from optexp_jax.results.fields import RATE
from optexp_jax.results.load import Results
from optexp_jax.results.selection import STABLE_FACTOR, best_rates, best_runs, is_finished

_HEIGHT, _ROW, _OF_SEVERAL = 2.4, 0.11, 1.7  # inches
_LOST = 0.97  # height of the crosses in a panel without a strip, as a part of it
_STAR, _SMALL_STAR = 11, 8  # points
_ROOM = 4.0  # below these crosses, as a factor of the largest value

_Looks = Mapping[Optimizer, style.Look]


@overload
def plot_final_loss(
    results: Sequence[Results],
    step: int | None = None,
    metric: str | None = None,
    *,
    ax: None = None,
    **how: Unpack[How],
) -> Figure: ...
@overload
def plot_final_loss(
    results: Sequence[Results],
    step: int | None = None,
    metric: str | None = None,
    *,
    ax: Axes,
    **how: Unpack[How],
) -> Axes: ...
def plot_final_loss(
    results: Sequence[Results],
    step: int | None = None,
    metric: str | None = None,
    *,
    log: Log = None,
    facet: str | None = None,
    ax: Axes | None = None,
    figsize: Size = None,
    labels: Labels = None,
    colors: Colors = None,
) -> Figure | Axes:
    """Plot the final metric against the learning rate, and mark the best learning rates.

    The line shows the worst seed, the band the range over seeds. A strip on top shows learning
    rates at which a run diverged or ended above ten times its initial loss. Hollow markers are
    unstable learning rates. The star of the best run has a black edge. The axis is logarithmic if
    losses span two decades. Methods that differ in a field other than the learning rate, such as
    weight decay, have separate lines; each problem has a panel.

    Args:
        results: runs; a note in the figure names missing ones.
        step: step at which to compare; None for the end of the runs.
        metric: a column of the tables, with or without `tr_`; None for the training loss. The
            training loss always decides which learning rates are best.
        log: logarithmic axes: `x`, `y`, `both` or `none`; None for `both` if losses span two
            decades, else `x`.
        facet: a field; each of its values has a panel, such as `batching.size` or `model.width`.
        ax: axes to draw on; None for a new figure.
        figsize: width and height in inches.
        labels: your own names of methods, see `looks`.
        colors: your own colours of methods, see `looks`.

    Returns:
        the figure, for `save`; or `ax`.

    Raises:
        OptexpError: there is nothing to draw, or the metric was not recorded.
    """
    require_some(results, step)
    metric = column_of(results, metric)
    shown = [
        _Panel.of(title, of, metric, step)
        for title, of in facets(results, facet)
        if any(is_finished(r, step) for r in of)
    ]
    require_one_panel([panel.title for panel in shown], ax)
    methods = [m for panel in shown for m in panel.finals.values]
    looks = style.looks(methods, results[0].experiment.problem.batching, labels, colors)
    logs = log_axes(log, x=True, y=any(panel.finals.spans_decades() for panel in shown))
    note = missing_note(results, step)
    if logs[1] and any(panel.finals.shown().min() < panel.finals.floor for panel in shown):
        power = round(math.log10(style.SMALLEST))
        words = f"smaller losses are drawn at $10^{{{power}}}$ {style.TIMES} start"
        note = "; ".join(part for part in (note, words) if part)
        shown = [panel._replace(finals=panel.finals.raised()) for panel in shown]
    if ax is not None:
        _draw([ax], shown, looks, logs)
        ax.legend(*_legend(looks))
        return ax
    with style.context():
        if len(shown) == 1:
            figure, strip, axes = _with_strip(shown[0].finals, figsize)
            _draw([axes], shown, looks, logs, strip)
        else:
            figure, panels = panels_across(len(shown), figsize, _OF_SEVERAL)
            _draw(panels, shown, looks, logs)
            crosses = any(panel.finals.lost() for panel in shown)
            note = "; ".join(filter(None, (_marks(shown, crosses), note)))
        lines, names = _legend(looks)
        page.add_below(figure, lines, names, note, columns=4, fixed=figsize is not None)
    return figure


def _legend(looks: _Looks) -> tuple[list[Line2D], list[str]]:
    ordered = [looks[method] for method in in_order(looks)]
    lines = [Line2D([], [], marker=k.marker, markersize=3, **k.line()) for k in ordered]
    return lines, [look.label for look in ordered]


class _Panel(NamedTuple):
    """Hold the content of a panel: final values, and the best learning rates."""

    title: str
    finals: Finals
    chosen: dict[Optimizer, LearningRate]
    best: Optimizer | None

    @classmethod
    def of(cls, title: str, results: Sequence[Results], metric: str, step: int | None) -> _Panel:
        chosen = best_rates(results, step)
        runs = best_runs(results, step, over=(RATE,))
        best = best_of(runs, step) if len(runs) > 1 else None
        return cls(title, final_values(results, metric, step), chosen, best)


def _draw(
    panels: Sequence[Axes],
    shown: Sequence[_Panel],
    looks: _Looks,
    logs: tuple[bool, bool],
    strip: Axes | None = None,
) -> None:
    size = _STAR if len(panels) == 1 else _SMALL_STAR
    for axes, panel in zip(panels, shown, strict=True):
        for method in panel.finals.values:
            _draw_method(axes, method, panel, looks[method], size)
        if strip is not None:
            _draw_strip(strip, looks, panel.finals)
        if panel.title:
            axes.set_title(panel.title, pad=8)
    crosses = strip is None and any(panel.finals.lost() for panel in shown)
    for axes, panel in zip(panels, shown, strict=True):
        _finish(axes, panel.finals, [p.finals.shown() for p in shown], logs, crosses)
        if crosses:
            _draw_crosses(axes, panel.finals, looks)
    ends = [axes.get_xlim() for axes in panels]
    for axes in panels:
        axes.set_xlim(min(low for low, _ in ends), max(high for _, high in ends))
    last = across(len(panels))
    for i, (axes, panel) in enumerate(zip(panels, shown, strict=True), 1):
        if i % last == 0 or i == len(panels):
            _name_start(axes, panel.finals.start)
    label = f"{style.metric_label(shown[0].finals.metric)}\nat the end"
    marks = _marks(shown, crosses)
    label_axes(panels, f"Learning rate ({marks})" if len(panels) == 1 else "Learning rate", label)


def _with_strip(finals: Finals, figsize: Size) -> tuple[PageFigure, Axes | None, Axes]:
    """Make a panel, and a strip above it with a row for every method with lost runs."""
    lost = finals.lost()
    above = _ROW * (len(lost) + 1) if lost else 0.0
    size = figsize or (page.WIDTH, _HEIGHT + above)
    figure = PageFigure(figsize=size, layout="constrained")
    if not lost:
        return figure, None, figure.subplots()
    strip, axes = figure.subplots(2, 1, sharex=True, height_ratios=[above, _HEIGHT - 0.5])
    return figure, strip, axes


def _draw_method(axes: Axes, method: Optimizer, panel: _Panel, look: style.Look, size: int) -> None:
    """Draw a line over learning rates, with a star at the best; level without learning rates."""
    rates, best = panel.finals.values[method], panel.chosen.get(method)
    worst = {rate: float(worst_of(panel.finals.metric, v)) for rate, v in rates.items()}
    if not has_rate(method):
        axes.axhline(next(iter(worst.values())), **look.line())
        return
    x = [float(rate) for rate in rates]
    axes.plot(x, list(worst.values()), marker=look.marker, markersize=3, **look.line())
    hollow = {k: v for k, v in worst.items() if (method, k) in panel.finals.unstable}
    axes.plot(
        [float(rate) for rate in hollow], list(hollow.values()), marker=look.marker, markersize=3,
        color=look.color, markerfacecolor="white", linestyle="",
    )  # fmt: skip
    low, high = ([f(v) for v in rates.values()] for f in (np.min, np.max))
    axes.fill_between(x, low, high, color=look.color, alpha=0.2, linewidth=0)
    if best is not None:
        first = method == panel.best
        axes.plot(
            float(best), worst[best], marker="*", markersize=size + 2 * first, color=look.color,
            linestyle="", markeredgecolor="black" if first else "white",
            markeredgewidth=0.8 if first else 0.6, zorder=6 if first else 5, clip_on=False,
        )  # fmt: skip


def _draw_strip(strip: Axes, looks: _Looks, finals: Finals) -> None:
    lost = finals.lost()
    for row, (method, rates) in enumerate(lost.items()):
        line = looks[method].line() | {"marker": "x", "markersize": 3.5, "linewidth": 0.8}
        strip.plot(rates, [-row] * len(rates), **line)
    strip.set(ylim=(0.7 - len(lost), 0.7), yticks=[])
    beyond = f", or\n> {STABLE_FACTOR:g} {style.TIMES} start" if finals.limit < np.inf else ""
    strip.set_ylabel(f"diverged{beyond}", rotation=0, ha="right", va="center", fontsize=6)
    strip.tick_params(axis="x", which="both", length=0, labelbottom=False)
    strip.spines[["bottom", "left"]].set_visible(False)


def _draw_crosses(axes: Axes, finals: Finals, looks: _Looks) -> None:
    """Draw the lost learning rates at the top of a panel, each method a little lower."""
    at = axes.get_xaxis_transform()
    lost = finals.lost()
    below = min(0.04, 0.2 / max(len(lost), 1))
    for row, (method, rates) in enumerate(lost.items()):
        axes.plot(
            rates, [_LOST - below * row] * len(rates), marker="x", markersize=3.5, linestyle="",
            color=looks[method].color, transform=at, clip_on=False,
        )  # fmt: skip


def _marks(shown: Sequence[_Panel], crosses: bool) -> str:
    """Make the legend of the marks."""
    marks = [r"$\bigstar$: chosen"]
    marks[0] += ", black edge: best" if any(p.best is not None for p in shown) else ""
    marks += ["hollow: unstable"] if any(p.finals.unstable for p in shown) else []
    marks += ["crosses: diverged"] if crosses else []
    return "; ".join(marks)


def _finish(
    axes: Axes,
    finals: Finals,
    every: Sequence[np.ndarray],
    logs: tuple[bool, bool],
    crosses: bool,
) -> None:
    """Set limits that include the values of all panels, and draw a line at the start."""
    if logs[0]:
        axes.set_xscale("log")
    low, high = min(v.min() for v in every), max(v.max() for v in every)
    if logs[1] and high > 0:
        axes.set_yscale("log", nonpositive="clip")
        least = low if low > 0 else style.SMALLEST * high
        axes.set_ylim(0.5 * least, (2 * _ROOM if crosses else 2) * high)
    else:
        room = 1.3 if crosses else 1.05
        axes.set_ylim(min(0.0, 1.05 * low), room * high if high > 0 else 1.0)
    axes.axhline(finals.start, color=style.GREY, linewidth=0.6, zorder=1)


def _name_start(axes: Axes, start: float) -> None:
    axes.annotate(
        "start", (1, start), xycoords=("axes fraction", "data"), xytext=(3, 0),
        textcoords="offset points", va="center", fontsize=style.SMALL, color=style.GREY,
        annotation_clip=False,
    )  # fmt: skip
