"""Arrange panels of one size in rows that share their axes, and mark the best run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from optexp_jax.optim import Optimizer
from optexp_jax.plotting import page, style
from optexp_jax.plotting.canvas import PageFigure
from optexp_jax.results.load import Results
from optexp_jax.results.selection import score, worst_seed

STAR = r"$\bigstar$"
_MOST_ACROSS = 4
PANEL_HEIGHT = 1.45  # inches


def across(count: int) -> int:
    """Return how many panels a row has: at most four, in rows of about equal length."""
    return math.ceil(count / math.ceil(count / _MOST_ACROSS))


def panels_across(
    count: int, figsize: tuple[float, float] | None = None, height: float = PANEL_HEIGHT
) -> tuple[PageFigure, list[Axes]]:
    """Make a figure of panels that share their vertical axis, in rows of at most four.

    Args:
        count: of panels.
        figsize: of the figure, in inches; None for the width of a page.
        height: of a panel if `figsize` is not given.
    """
    columns = across(count)
    rows = math.ceil(count / columns)
    size = figsize or (page.WIDTH, rows * height)
    figure = PageFigure(figsize=size, layout="constrained")
    panels = list(figure.subplots(rows, columns, sharey=True, squeeze=False).flat)
    for unused in panels[count:]:
        unused.remove()
    return figure, panels[:count]


def label_axes(panels: Sequence[Axes], below: str, beside: str) -> None:
    """Label only the lowest and the leftmost panels."""
    columns = across(len(panels))
    for i, axes in enumerate(panels):
        lowest = i + columns >= len(panels)
        axes.tick_params(labelbottom=lowest)
        axes.set_xlabel(below if lowest else "")
        axes.set_ylabel("" if i % columns else beside)


def best_of(runs: Mapping[Optimizer, Sequence[Results]], step: int | None = None) -> Optimizer:
    """Return the method with the smallest final training loss of its worst seed."""
    return min(runs, key=lambda method: score(worst_seed(runs[method], step), step))


def mark_end(axes: Axes, x: float, y: float, color: str) -> None:
    """Draw a star at the end of a line, inside the axes even if the value is tiny."""
    low, high = sorted(axes.get_ylim())
    axes.annotate(
        STAR, (x, min(max(y, low), high)), color=color, ha="center", va="center",
        fontsize=style.SMALL + 2, annotation_clip=False, zorder=6,
    )  # fmt: skip
