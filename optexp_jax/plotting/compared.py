"""Plot two sets of runs of the same experiments on the same axes: ours solid, the others dashed.

Each method has a panel. Lines of one method differ only in whose runs they show.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from optexp_jax.optim import LearningRate, Optimizer, has_rate
from optexp_jax.plotting import page, style
from optexp_jax.plotting.available import chosen_runs, missing_note, require_some
from optexp_jax.plotting.best_run import finish_axes
from optexp_jax.plotting.by_class import add_group_legend, draw_groups
from optexp_jax.plotting.curves import Curve, column, groups_of, over_seeds, worst_of
from optexp_jax.plotting.finals import Finals, final_values
from optexp_jax.plotting.panel_grid import label_axes, panels_across
from optexp_jax.results.load import Results
from optexp_jax.results.selection import best_rates, main_metric, worst_seed

_SOLID: dict[str, Any] = {"linestyle": "-"}
_DASHED: dict[str, Any] = {"linestyle": (0, (3, 1.5)), "markerfacecolor": "white"}
_LINES = (_SOLID, _DASHED)
_TICKS = 3
_LOST = (0.97, 0.89)  # heights of the crosses of rates without a value, as parts of the panel
_MARKS = "star: chosen; crosses on top: diverged, or beyond ten times the start (ours above)"

Runs = dict[Optimizer, list[Results]]


@dataclasses.dataclass(frozen=True)
class Compared:
    """Hold your own runs and those of others, of one group.

    Args:
        sides: name of each set -> its runs, ours first; at most two.
        step: where learning rates are compared and axes end; None for the end of the runs.
        x: the axis over time, `step` or `epoch`.
        column: the column of the tables to draw; None for the training loss.
    """

    sides: Mapping[str, Sequence[Results]]
    step: int | None = None
    x: str = "step"
    column: str | None = None

    def final_against_rate(self) -> Figure:
        """Plot the final training loss of every run against its learning rate."""
        for results in self.sides.values():
            require_some(results, self.step)
        finals = [final_values(r, self.metric, self.step) for r in self.sides.values()]
        best = [best_rates(r, self.step) for r in self.sides.values()]
        log = any(f.spans_decades() for f in finals)
        if log:
            finals = [f.raised() for f in finals]
        methods = list(dict.fromkeys(m for f in finals for m in f.values))
        with style.context():
            figure, panels = self._panels(methods)
            for axes, method in zip(panels, methods, strict=True):
                color = self._looks(methods)[method].color
                for of, chosen, line, top in zip(finals, best, _LINES, _LOST, strict=True):
                    look = {"color": color} | line
                    _draw_finals(axes, method, of, chosen.get(method), look, top)
            _finish_finals(panels, finals, log)
            label = f"{style.metric_label(self.metric)}\nat the end"
            label_axes(panels, "Learning rate", label)
            self._add_legend(figure, _MARKS, marker="o", markersize=3)
        return figure

    def best_over_time(self) -> Figure:
        """Plot the training loss over time at the best learning rate of each method."""
        runs = [chosen_runs(r, self.step) for r in self.sides.values()]
        methods = list(dict.fromkeys(m for of in runs for m in of))
        curves = []
        with style.context():
            figure, panels = self._panels(methods, runs)
            for axes, method in zip(panels, methods, strict=True):
                color = self._looks(methods)[method].color
                for of, line in zip(runs, _LINES, strict=False):
                    if seeds := of.get(method):
                        series = [column(r, self.metric, self.step) for r in seeds]
                        curves.append(over_seeds(self.metric, seeds, series, self.x))
                        page.draw_curve(axes, curves[-1], color=color, **line)
            self._finish_curves(panels, curves)
            self._add_legend(figure)
        return figure

    def per_class(self) -> Figure:
        """Plot the training loss of frequency groups at these learning rates, of the worst seed."""
        runs = [chosen_runs(r, self.step) for r in self.sides.values()]
        methods = list(dict.fromkeys(m for of in runs for m in of))
        first = next(iter(runs[0].values()))[0]
        curves = []
        with style.context():
            figure, panels = self._panels(methods, runs)
            for axes, method in zip(panels, methods, strict=True):
                for of, line in zip(runs, _LINES, strict=False):
                    if seeds := of.get(method):
                        run = worst_seed(seeds, self.step)
                        curves += draw_groups(
                            axes, run, self.metric, None, self.step, self.x, **line
                        )
            self._finish_curves(panels, curves)
            ours, others = self.sides
            note = self._note(f"solid: {ours}, dashed: {others}")
            add_group_legend(figure, groups_of(first), first.class_counts, note)
        return figure

    @property
    def metric(self) -> str:
        """The column to draw."""
        return self.column or main_metric(self._any().experiment)

    def _any(self) -> Results:
        return next(iter(self.sides.values()))[0]

    def _looks(self, methods: list[Optimizer]) -> dict[Optimizer, style.Look]:
        return style.looks(methods, self._any().experiment.problem.batching)

    def _panels(
        self, methods: list[Optimizer], runs: Sequence[Runs] = ()
    ) -> tuple[Figure, list[Axes]]:
        figure, panels = panels_across(len(methods))
        for axes, method in zip(panels, methods, strict=True):
            look = self._looks(methods)[method]
            named = zip(self.sides, runs, strict=False)
            rates = {name: of[method][0].experiment.optimizer for name, of in named if method in of}
            axes.set_title(_title(look.label, rates), color=look.color, linespacing=1.0)
        return figure, panels

    def _finish_curves(self, panels: Sequence[Axes], curves: Sequence[Curve]) -> None:
        for axes in panels:
            finish_axes(axes, curves, self.metric, log=False, ticks=_TICKS)
        label_axes(panels, self.x.capitalize(), style.metric_label(self.metric))

    def _add_legend(self, figure: Figure, about: str = "", **marker: Any) -> None:
        handles = [Line2D([], [], color=style.GREY, **marker, **line) for line in _LINES]
        page.add_below(figure, handles, list(self.sides), self._note(about))

    def _note(self, about: str = "") -> str:
        notes = {name: missing_note(r, self.step) for name, r in self.sides.items()}
        parts = [about, *(f"{name}: {note}" for name, note in notes.items() if note)]
        return "; ".join(part for part in parts if part)


def _title(label: str, rates: Mapping[str, Optimizer]) -> str:
    """Name the method and, below, its learning rate, or both learning rates if they differ."""
    shown = {name: style.rate_label(o.learning_rate) for name, o in rates.items() if has_rate(o)}
    if len(set(shown.values())) > 1:
        return "\n".join([label, ", ".join(f"{name} {rate}" for name, rate in shown.items())])
    return "\n".join([label, *dict.fromkeys(shown.values())])


def _draw_finals(
    axes: Axes,
    method: Optimizer,
    finals: Finals,
    best: LearningRate | None,
    line: dict[str, Any],
    top: float,
) -> None:
    rates = finals.values.get(method, {})
    worst = {rate: float(worst_of(finals.metric, v)) for rate, v in rates.items()}
    axes.plot([float(r) for r in worst], list(worst.values()), marker="o", markersize=3, **line)
    lost = [float(rate) for rate, value in worst.items() if np.isnan(value)]
    at = axes.get_xaxis_transform()
    axes.plot(
        lost, [top] * len(lost), marker="x", markersize=3.5, color=line["color"], linestyle="",
        transform=at,
    )  # fmt: skip
    if best is not None and has_rate(method):
        star = line | {"linestyle": "", "marker": "*", "markersize": 8, "zorder": 5}
        axes.plot(float(best), worst[best], **star)


def _finish_finals(panels: Sequence[Axes], finals: Sequence[Finals], log: bool) -> None:
    values = np.concatenate([f.shown() for f in finals])
    for axes in panels:
        axes.set_xscale("log")
        if log:
            axes.set_yscale("log")
            axes.set_ylim(0.5 * values.min(), 8 * values.max())
        else:
            axes.set_ylim(min(0.0, 1.05 * values.min()), 1.3 * values.max())
        axes.axhline(finals[0].start, color=style.GREY, linewidth=0.6, zorder=1)
