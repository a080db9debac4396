"""Define panels: the content of a pair of axes, as values that draw themselves.

`sheet` combines rows of panels into a figure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from optexp_jax.optim import Optimizer
from optexp_jax.plotting import style
from optexp_jax.plotting.best_run import draw_methods, finish_axes
from optexp_jax.plotting.by_class import draw_groups, set_title
from optexp_jax.plotting.class_counts import draw_counts
from optexp_jax.plotting.curves import groups_of
from optexp_jax.results.load import Results
from optexp_jax.results.selection import main_metric

_TICKS = 3
_DECADES = 4  # between labelled ticks of a logarithmic axis there are at most this many


class Panel(Protocol):
    """Draw the content of a pair of axes.

    Args:
        kind: panels of one kind in a row share their vertical axis and its label.
    """

    @property
    def kind(self) -> str:
        """The name of the kind."""
        ...

    def draw(self, axes: Axes) -> None:
        """Draw on the axes, titles and labels included."""
        ...


@dataclasses.dataclass(frozen=True)
class Counts:
    """Show the examples of each class against its rank, with groups in colour.

    Args:
        counts: examples of each class, `[num_classes]`.
        groups: index arrays, most frequent classes first.
        title: over the panel.
    """

    counts: np.ndarray
    groups: Sequence[np.ndarray]
    title: str = "Classes"
    kind: str = "counts"

    @classmethod
    def of(cls, run: Results) -> Counts:
        """Make the panel of the training data of a run."""
        return cls(run.class_counts, groups_of(run))

    def draw(self, axes: Axes) -> None:
        """Draw on the axes, titles and labels included."""
        draw_counts(axes, self.counts, self.groups)
        axes.set(xlabel="Rank of the class", ylabel="Examples")
        axes.set_title(self.title, pad=8)
        if axes.get_xscale() == "log":
            _few_decades(axes)


@dataclasses.dataclass(frozen=True)
class Overall:
    """Show a metric of all classes over time: one line for the worst seed of each method.

    Args:
        runs: runs of each method by seed.
        title: over the panel.
        metric: a column of the tables, None for the training loss.
        step: where the axis ends; None for the end of the runs.
        legend: whether the lines are named in the panel.
        log: whether the metric has a logarithmic axis.
    """

    runs: Mapping[Optimizer, list[Results]]
    title: str = "All classes"
    metric: str | None = None
    step: int | None = None
    legend: bool = False
    log: bool = False
    kind: str = "loss"

    def draw(self, axes: Axes) -> None:
        """Draw on the axes, titles and labels included."""
        metric = self.metric or _metric_of(self.runs)
        curves = list(draw_methods(axes, dict(self.runs), metric, self.step, "step").values())
        finish_axes(axes, curves, metric, self.log, ticks=_TICKS)
        axes.set(xlabel="Step", ylabel=style.metric_label(metric))
        axes.set_title(self.title, pad=8)
        if self.legend:
            axes.legend(fontsize=style.SMALL - 1, handlelength=1.6, borderpad=0.2)


@dataclasses.dataclass(frozen=True)
class ByGroup:
    """Show a metric of frequency groups over time for one run.

    Args:
        run: the run.
        title: over the panel; None for the method and its learning rate, underlined by its line.
        metric: a column of the table that is recorded by class, None for the training loss.
        n_groups: number of groups, None for the data set's own.
        step: where the axis ends; None for the end of the run.
        log: whether the metric has a logarithmic axis.
    """

    run: Results
    title: str | None = None
    metric: str | None = None
    n_groups: int | None = None
    step: int | None = None
    log: bool = False
    kind: str = "loss"

    def draw(self, axes: Axes) -> None:
        """Draw on the axes, titles and labels included."""
        metric = self.metric or main_metric(self.run.experiment)
        curves = draw_groups(axes, self.run, metric, self.n_groups, self.step, "step")
        finish_axes(axes, curves, metric, self.log, ticks=_TICKS)
        axes.set(xlabel="Step", ylabel=style.metric_label(metric))
        optimizer, batching = self.run.experiment.optimizer, self.run.experiment.problem.batching
        if self.title is None:
            set_title(axes, style.looks([optimizer], batching)[optimizer], optimizer)
        else:
            axes.set_title(self.title, pad=8)


@dataclasses.dataclass(frozen=True)
class Lines:
    """Show any lines.

    Args:
        lines: (x, y, arguments of `Axes.plot`).
        labels: title, horizontal and vertical label.
        log: `x`, `y`, `xy` or nothing.
        ylim: ends of the vertical axis, None for matplotlib's.
        legend: whether the lines are named in the panel.
        kind: see `Panel`.
    """

    lines: Sequence[tuple[np.ndarray, np.ndarray, dict[str, Any]]]
    labels: tuple[str, str, str]
    log: str = ""
    ylim: tuple[float, float] | None = None
    legend: bool = False
    kind: str = "lines"

    def draw(self, axes: Axes) -> None:
        """Draw on the axes, titles and labels included."""
        for x, y, look in self.lines:
            axes.plot(x, y, **look)
        axes.set(xlabel=self.labels[1], ylabel=self.labels[2])
        axes.set_title(self.labels[0], pad=8)
        if "x" in self.log:
            axes.set_xscale("log")
        else:
            axes.xaxis.set_major_locator(MaxNLocator(_TICKS, integer=True))
        if "y" in self.log:
            axes.set_yscale("log")
        if self.ylim:
            axes.set_ylim(*self.ylim)
        if self.legend:
            axes.legend(fontsize=style.SMALL - 1, handlelength=1.6, borderpad=0.2)


@dataclasses.dataclass(frozen=True)
class Points:
    """Show one point for each class, coloured by its group, on logarithmic axes.

    Args:
        x: `[num_classes]`.
        y: `[num_classes]`.
        groups: index arrays, most frequent classes first.
        labels: title, horizontal and vertical label.
        limits: ends of both axes; None fits the points.
    """

    x: np.ndarray
    y: np.ndarray
    groups: Sequence[np.ndarray]
    labels: tuple[str, str, str]
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None
    kind: str = "points"

    def draw(self, axes: Axes) -> None:
        """Draw on the axes, titles and labels included."""
        # Rare classes first, so that the few frequent ones lie on top.
        colored = list(zip(self.groups, style.group_colors(len(self.groups)), strict=True))
        for group, color in reversed(colored):
            axes.plot(
                self.x[group], self.y[group], color=color, linewidth=0, marker="o", markersize=1.8,
                markeredgewidth=0, rasterized=len(group) > _RASTERIZED,
            )  # fmt: skip
        axes.set(xscale="log", yscale="log", xlabel=self.labels[1], ylabel=self.labels[2])
        axes.set_title(self.labels[0], pad=8)
        if self.limits:
            axes.set(xlim=self.limits[0], ylim=self.limits[1])
        _few_decades(axes)


_RASTERIZED = 300  # points of a group beyond which they are drawn as an image


@dataclasses.dataclass(frozen=True)
class Heat:
    """Show a square matrix on a logarithmic colour scale, classes from frequent to rare.

    Args:
        values: `[K, K]`, positive.
        labels: title, horizontal and vertical label.
        limits: ends of the scale of log10.
    """

    values: np.ndarray
    labels: tuple[str, str, str]
    limits: tuple[float, float]
    kind: str = "heat"

    def draw(self, axes: Axes) -> None:
        """Draw on the axes, titles and labels included."""
        low, high = self.limits
        image = np.log10(np.maximum(self.values, 10.0**low))
        drawn = axes.imshow(image, vmin=low, vmax=high, cmap=style.HEAT, interpolation="nearest")
        axes.set(xlabel=self.labels[1], ylabel=self.labels[2], xticks=[], yticks=[])
        axes.set_title(self.labels[0], pad=8)
        axes.grid(False)
        bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.75, pad=0.03, aspect=14)
        bar.locator = MaxNLocator(4, integer=True)
        bar.update_ticks()
        bar.ax.tick_params(labelsize=style.SMALL - 1)


def _metric_of(runs: Mapping[Optimizer, list[Results]]) -> str:
    return main_metric(next(iter(runs.values()))[0].experiment)


def _few_decades(axes: Axes) -> None:
    """Label at most four powers of ten on each logarithmic axis."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=_DECADES))
        axis.set_minor_formatter(NullFormatter())
