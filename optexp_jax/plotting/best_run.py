"""Plot the best run of each optimizer over time."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Unpack, overload

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from optexp_jax.batching import Batching
from optexp_jax.optim import Optimizer
from optexp_jax.plotting import page, style
from optexp_jax.plotting.available import chosen_runs, missing_note, require_some
from optexp_jax.plotting.curves import Curve, column, over_seeds
from optexp_jax.plotting.facets import facets
from optexp_jax.plotting.looks import Colors
from optexp_jax.plotting.names import Labels, as_mathematics, detail, field_label
from optexp_jax.plotting.options import HowBest, Log, Size, column_of, log_axes, require_one_panel
from optexp_jax.plotting.panel_grid import STAR, best_of, label_axes, mark_end, panels_across
from optexp_jax.results.fields import MOMENTA, RATE, tuned_fields, values_of
from optexp_jax.results.load import Results
from optexp_jax.results.selection import best_runs, untuned

# Times the start: a loss beyond leaves the axes rather than flatten the others.
_TOP, _TOP_OF_LOGARITHMS = 2.0, 100.0
_AXIS = {"step": "Step", "epoch": "Epoch"}
_HEIGHT, _OF_SEVERAL = 2.3, 1.6  # inches of one panel, and of each of several

Runs = dict[Optimizer, list[Results]]
Looks = Mapping[Optimizer, style.Look]


@overload
def plot_best_runs(
    results: Sequence[Results],
    step: int | None = None,
    metric: str | None = None,
    x: str = "step",
    *,
    ax: None = None,
    **how: Unpack[HowBest],
) -> Figure: ...
@overload
def plot_best_runs(
    results: Sequence[Results],
    step: int | None = None,
    metric: str | None = None,
    x: str = "step",
    *,
    ax: Axes,
    **how: Unpack[HowBest],
) -> Axes: ...
def plot_best_runs(
    results: Sequence[Results],
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
    """Plot a metric over time for each method at its best hyperparameters.

    The line shows the worst seed, the band the range over seeds; the best line of a panel ends in
    a star. The legend is sorted by learning rate. A linear axis of losses ends at twice the initial
    loss. Each problem has a panel.

    Args:
        results: runs; a note in the figure names missing ones.
        step: step at which runs are compared and the axis ends; None for the end of the runs.
        metric: a column of the tables, with or without `tr_`; None for the training loss.
        x: the axis, `step` or `epoch`.
        log: logarithmic axes: `x`, `y`, `both` or `none`; None for the usual ones.
        over: the fields that were tuned, see `best_runs`; methods that differ in other fields
            have separate lines. None for all fields: one line for each method.
        facet: a field; each of its values has a panel, such as `batching.size` or `model.width`.
        ax: axes to draw on; None for a new figure.
        figsize: width and height in inches.
        labels: your own names of methods, see `looks`.
        colors: your own colours of methods, see `looks`.

    Returns:
        the figure, or `ax`.

    Raises:
        OptexpError: there is nothing to draw, or the metric was not recorded.
    """
    require_some(results, step)
    metric, logs = column_of(results, metric), log_axes(log)
    shown = _chosen(results, step, over, facet)
    require_one_panel([title for title, _, _ in shown], ax)
    batching = results[0].experiment.problem.batching
    methods = [m for _, runs, _ in shown for m in runs]
    looks = looks_of_best(methods, over, batching, labels, colors)
    if ax is not None:
        _draw([ax], shown, looks, metric, step, x, logs)
        ax.legend(*_legend(shown, looks, step), title=_legend_title(results, over))
        return ax
    with style.context():
        figure, panels = panels_across(
            len(shown), figsize, _HEIGHT if len(shown) == 1 else _OF_SEVERAL
        )
        _draw(panels, shown, looks, metric, step, x, logs)
        note, fixed = missing_note(results, step), figsize is not None
        title = _legend_title(results, over) if len(shown) == 1 else "Optimizer"
        handles, names = _legend(shown, looks, step)
        page.add_below(figure, handles, names, note, title, columns=4, fixed=fixed)
    return figure


def looks_of_best(
    methods: Sequence[Optimizer],
    over: Sequence[str] | None,
    batching: Batching,
    labels: Labels,
    colors: Colors,
) -> dict[Optimizer, style.Look]:
    """Choose one look for each method, for its best runs in several panels.

    Args:
        methods: with their best values.
        over: the fields that were tuned, see `best_runs`.
        batching: of the problem.
        labels: other names, see `looks`.
        colors: other colours, see `looks`.
    """
    alike: dict[object, list[Optimizer]] = {}
    for method in methods:
        alike.setdefault(untuned(method, over), []).append(method)
    shown = {key: _shown_as(of) for key, of in alike.items()}
    looks = style.looks(list(shown.values()), batching, labels, colors)
    return {method: looks[shown[untuned(method, over)]] for method in methods}


def _shown_as(methods: Sequence[Optimizer]) -> Optimizer:
    """Return the first optimizer, with the usual (unnamed) momentum if theirs differ."""
    first: Any = methods[0]
    for field in MOMENTA:
        if len({values_of(m).get(field) for m in methods}) > 1:
            return dataclasses.replace(first, **{field: _USUAL})
    return first


_USUAL = 0.9  # momentum
_Shown = list[tuple[str, Runs, dict[Optimizer, str]]]


def _chosen(
    results: Sequence[Results], step: int | None, over: Sequence[str] | None, facet: str | None
) -> _Shown:
    """Return the title of each panel, its runs, and the tuned values of each method."""
    found = facets(results, facet)
    chosen = [best_runs(of, step, over) for _, of in found]
    if not any(chosen):
        chosen_runs(found[0].results, step, over)  # says why
    return [
        (title, runs, {method: tuned_values(method, of, over) for method in runs})
        for (title, of), runs in zip(found, chosen, strict=True)
        if runs
    ]


def tuned_values(
    method: Optimizer, results: Sequence[Results], over: Sequence[str] | None = None
) -> str:
    """Return the values chosen for a method, except its learning rate and momentum.

    Args:
        method: with these values.
        results: among which they were chosen.
        over: the fields that were tuned, see `best_runs`.
    """
    key = untuned(method, over)
    alike = [
        r.experiment.optimizer for r in results if untuned(r.experiment.optimizer, over) == key
    ]
    fields = [f for f in tuned_fields(alike) if f != RATE and f not in MOMENTA]
    values = values_of(method)
    return as_mathematics(", ".join(detail(name, values[name]) for name in fields))


def _draw(
    panels: Sequence[Axes],
    shown: _Shown,
    looks: Looks,
    metric: str,
    step: int | None,
    x: str,
    logs: tuple[bool, bool],
) -> None:
    every: list[Curve] = []
    ends: list[tuple[Axes, Curve, str]] = []
    for axes, (title, runs, tuned) in zip(panels, shown, strict=True):
        curves = draw_methods(axes, runs, metric, step, x, looks, tuned)
        best = best_of(runs, step)
        ends.append((axes, curves[best], looks[best].color))
        every += curves.values()
        if title:
            axes.set_title(title, pad=8)
    for axes in panels:
        finish_axes(axes, every, metric, logs[1], 4 if len(panels) == 1 else 3, logs[0])
    for axes, curve, color in ends:
        mark_end(axes, curve.x[-1], curve.worst[-1], color)
    label_axes(panels, _AXIS[x], style.metric_label(metric))


def _legend(shown: _Shown, looks: Looks, step: int | None) -> tuple[list[Line2D], list[str]]:
    """Return lines and names; with one panel, also learning rates and the star."""
    _, runs, tuned = shown[0]
    if len(shown) > 1:
        every = list(dict.fromkeys(look.label for look in looks.values()))
        lines = {look.label: look.line() for look in looks.values()}
        return [Line2D([], [], **lines[name]) for name in every], every
    ordered = sorted(runs, key=lambda m: float(runs[m][0].experiment.optimizer.learning_rate))
    best = best_of(runs, step)
    stars = {best: f" {STAR}"} if len(runs) > 1 else {}
    names = [_name(looks[m], runs[m], tuned[m]) + stars.get(m, "") for m in ordered]
    return [Line2D([], [], **looks[m].line()) for m in ordered], names


def _name(look: style.Look, runs: Sequence[Results], tuned: str = "") -> str:
    text = style.with_rate(look.label, runs[0].experiment.optimizer)
    return f"{text}, {tuned}" if tuned else text


def _legend_title(results: Sequence[Results], over: Sequence[str] | None) -> str:
    tuned = tuned_fields(r.experiment.optimizer for r in results)
    fields = [f for f in tuned if over is None or f in over]
    words = [as_mathematics(field_label(f)) for f in fields if f != RATE]
    return f"Optimizer, best {listed(['learning rate', *words])}"


def listed(words: Sequence[str]) -> str:
    """Join words with commas, and the last with `and`.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def draw_methods(
    axes: Axes,
    runs: Runs,
    metric: str,
    step: int | None,
    x: str,
    looks: Looks | None = None,
    tuned: Mapping[Optimizer, str] | None = None,
) -> dict[Optimizer, Curve]:
    """Draw one line per method, labelled with its learning rate and other tuned values."""
    if looks is None:
        batching = next(iter(runs.values()))[0].experiment.problem.batching
        looks = style.looks(list(runs), batching)
    curves = {}
    for method, chosen in runs.items():
        series = [column(r, metric, step) for r in chosen]
        curves[method] = over_seeds(metric, chosen, series, x)
        label = _name(looks[method], chosen, (tuned or {}).get(method, ""))
        page.draw_curve(axes, curves[method], label=label, **looks[method].line())
    return curves


def finish_axes(
    axes: Axes,
    curves: Sequence[Curve],
    metric: str,
    log: bool,
    ticks: int = 4,
    log_x: bool = False,
) -> None:
    """Set limits: first to last step, and from zero or a millionth of the start upwards.

    A logarithmic horizontal axis is linear up to the first row after the start, which is 0.
    """
    axes.set_xlim(0, max(curve.x[-1] for curve in curves) or 1.0)
    if log_x:
        after = [x for curve in curves for x in curve.x if x > 0]
        axes.set_xscale("symlog", linthresh=min(after, default=1.0))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(ticks, integer=True, steps=[1, 2, 2.5, 5, 10]))
    start = max(curve.worst[0] for curve in curves)
    low = min(float(np.min(curve.low)) for curve in curves)
    high = max(float(np.max(curve.high)) for curve in curves)
    if "Loss" in metric and start > 0:
        high = min(high, (_TOP_OF_LOGARITHMS if log else _TOP) * start)
    if log and high > 0:
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(0.7 * max(low, style.SMALLEST * start), 1.4 * high)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(ticks + 1, steps=[1, 2, 5, 10]))
        axes.set_ylim(min(0.0, 1.05 * low), 1.05 * high if high > 0 else 1.0)
