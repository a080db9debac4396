"""The final metric of every run against its learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from optexp_jax.optim import LearningRate, Optimizer, has_rate
from optexp_jax.plotting import page, style
from optexp_jax.plotting.available import missing_note, require_some
from optexp_jax.plotting.curves import worst_of
from optexp_jax.plotting.finals import Finals, final_values
from optexp_jax.results.load import Results
from optexp_jax.results.selection import STABLE_FACTOR, best_rates, main_metric

_HEIGHT, _ROW = 2.4, 0.11  # inches

_Looks = dict[Optimizer, style.Look]


def final_against_rate(
    results: Sequence[Results], step: int | None = None, metric: str | None = None
) -> Figure:
    """The final metric against the learning rate, with the chosen rates marked.

    The line is the worst seed, the band the range over seeds. Rates at which a run diverged, or
    ended above ten times its start, stand in a strip on top; unstable ones, which are not chosen
    where others are stable, are hollow. The axis is logarithmic where losses span two decades.

    Args:
        results: runs of one problem; missing ones are named in a note.
        step: where to compare; None for the end of the runs.
        metric: a column of the tables, None for the training loss. Rates are always chosen by the
            training loss.

    Returns:
        the figure, for `save`.

    Raises:
        OptexpError: nothing to draw, or a metric that was not recorded.
    """
    require_some(results, step)
    metric = metric or main_metric(results[0].experiment)
    finals = final_values(results, metric, step)
    best = best_rates(results, step)
    looks = style.looks(list(finals.values), results[0].experiment.problem.batching)
    note = missing_note(results, step)
    log = finals.spans_decades()
    if log and finals.shown().min() < finals.floor:
        power = round(math.log10(style.SMALLEST))
        words = f"smaller losses are drawn at $10^{{{power}}}$ {style.TIMES} start"
        note = "; ".join(part for part in (note, words) if part)
        finals = finals.raised()
    with style.context():
        figure, strip, axes = _panels(finals)
        for method in finals.values:
            _draw_method(axes, method, finals, looks[method], best.get(method))
        if strip is not None:
            _draw_strip(strip, looks, finals)
        _finish(axes, finals, log)
        lines = [Line2D([], [], marker=k.marker, markersize=3, **k.line()) for k in looks.values()]
        page.add_below(figure, lines, [k.label for k in looks.values()], note, columns=4)
    return figure


def _panels(finals: Finals) -> tuple[Figure, Axes | None, Axes]:
    """A panel, and a strip above it with a row for every method that lost runs."""
    lost = finals.lost()
    above = _ROW * (len(lost) + 1) if lost else 0.0
    figure = Figure(figsize=(page.WIDTH, _HEIGHT + above), layout="constrained")
    if not lost:
        return figure, None, figure.subplots()
    strip, axes = figure.subplots(2, 1, sharex=True, height_ratios=[above, _HEIGHT - 0.5])
    return figure, strip, axes


def _draw_method(
    axes: Axes, method: Optimizer, finals: Finals, look: style.Look, best: LearningRate | None
) -> None:
    """A line over rates and a star at the best; a method that has no rate is level."""
    rates = finals.values[method]
    worst = {rate: float(worst_of(finals.metric, v)) for rate, v in rates.items()}
    if not has_rate(method):
        axes.axhline(next(iter(worst.values())), **look.line())
        return
    x = [float(rate) for rate in rates]
    axes.plot(x, list(worst.values()), marker=look.marker, markersize=3, **look.line())
    hollow = {k: v for k, v in worst.items() if (method, k) in finals.unstable}
    axes.plot(
        [float(rate) for rate in hollow], list(hollow.values()), marker=look.marker, markersize=3,
        color=look.color, markerfacecolor="white", linestyle="",
    )  # fmt: skip
    low, high = ([f(v) for v in rates.values()] for f in (np.min, np.max))
    axes.fill_between(x, low, high, color=look.color, alpha=0.2, linewidth=0)
    if best is not None:
        axes.plot(
            float(best), worst[best], marker="*", markersize=11, color=look.color, linestyle="",
            markeredgecolor="white", markeredgewidth=0.6, zorder=5, clip_on=False,
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


def _finish(axes: Axes, finals: Finals, log: bool) -> None:
    axes.set_xscale("log")
    hollow = "; hollow: unstable" if finals.unstable else ""
    axes.set_xlabel(rf"Step size ($\bigstar$: chosen{hollow})")
    axes.set_ylabel(f"{style.metric_label(finals.metric)}\nat the end")
    low, high = finals.shown().min(), finals.shown().max()
    if log:
        axes.set_yscale("log")
        axes.set_ylim(0.5 * low, 2 * high)
    else:
        axes.set_ylim(min(0.0, 1.05 * low), 1.05 * high if high > 0 else 1.0)
    axes.axhline(finals.start, color=style.GREY, linewidth=0.6, zorder=1)
    axes.annotate(
        "start", (1, finals.start), xycoords=("axes fraction", "data"), xytext=(3, 0),
        textcoords="offset points", va="center", fontsize=style.SMALL, color=style.GREY,
        annotation_clip=False,
    )  # fmt: skip
