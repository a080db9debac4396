"""Plot how many examples each class has, from the most frequent to the rarest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from optexp_jax.errors import OptexpError
from optexp_jax.plotting import page, style
from optexp_jax.plotting.by_class import add_group_legend
from optexp_jax.plotting.canvas import PageFigure

_POINTS = 300
_FEW = 60  # classes that are shown as points
_TAIL = 10  # ratio of frequencies above which the law of Zipf is drawn


def class_counts(
    counts: np.ndarray, groups: Sequence[np.ndarray], title: str = "", what: str = "examples"
) -> Figure:
    """Plot the number of examples of each class against its rank, with groups in colour.

    Where frequencies differ by more than a factor of ten, both axes are logarithmic, and a dashed
    line falls as 1 / rank from the most frequent class, the law of Zipf.

    Args:
        counts: examples of each class, `[num_classes]`.
        groups: index arrays, most frequent classes first, as a data set's `groups` returns them.
        title: over the panel.
        what: name of what is counted, in the plural.

    Returns:
        the figure, for `save`.

    Raises:
        OptexpError: no class has an example.

    >>> figure = class_counts(np.array([32, 4, 2, 0]), [np.array([0]), np.array([1, 2])])
    >>> [len(line.get_xdata()) for line in figure.axes[0].get_lines()]
    [2, 1, 2]
    """
    counts = np.asarray(counts)
    if not counts.any():
        raise OptexpError(
            f"There is nothing to draw: no class has {what}.", code="nothing-to-draw", what=what
        )
    with style.context():
        figure = PageFigure(figsize=(page.WIDTH, 2.2), layout="constrained")
        axes = figure.subplots()
        draw_counts(axes, counts, groups)
        axes.set_xlabel("Rank of the class")
        axes.set_ylabel(f"Number of {what}")
        axes.set_title(title)
        add_group_legend(figure, groups, counts)
    return figure


def draw_counts(axes: Axes, counts: np.ndarray, groups: Sequence[np.ndarray]) -> None:
    """Draw the points of a panel, and Zipf's law."""
    ranks, values = ranked(counts)
    tail = values[0] > _TAIL * values[-1]
    if tail:
        _draw_zipf(axes, values)
    for group, color in zip(groups, style.group_colors(len(groups)), strict=True):
        if len(group):
            x, y = ranked(counts, group)
            kept = thinned_ranks(len(x))
            as_points = len(ranks) <= _FEW or len(x) == 1
            axes.plot(
                x[kept], y[kept], color=color, zorder=2, markersize=3, solid_capstyle="butt",
                linewidth=0 if as_points else 2.5, marker="o" if as_points else "",
            )  # fmt: skip
    scale = "log" if tail else "linear"
    axes.set(xscale=scale, yscale=scale)
    axes.set_ylim(*((0.6 * values[-1], 1.7 * values[0]) if tail else (0, 1.2 * values[0])))
    axes.set_xlim(0.9 if tail else 0, 1.1 * max(len(ranks), 2))


def _draw_zipf(axes: Axes, values: np.ndarray) -> None:
    """Draw a dashed line that falls from the most frequent class, named in the corner below."""
    last, named = len(values), len(values) ** 0.35
    axes.plot(
        [1, last], [values[0], values[0] / last],
        color=style.GREY, linestyle=(0, (4, 3)), linewidth=0.7, zorder=1,
    )  # fmt: skip
    axes.annotate(
        "1 / rank", (named, values[0] / named), xytext=(-3, -3), color=style.GREY,
        textcoords="offset points", ha="right", va="top", fontsize=style.SMALL,
    )  # fmt: skip


def ranked(counts: np.ndarray, group: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return ranks from 1 and counts of the classes with examples, or of those of a group.

    >>> ranked(np.array([1, 5, 0, 5]), np.array([0, 3]))
    (array([2, 3]), array([5, 1]))
    """
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    ranks = np.arange(1, len(order) + 1)
    kept = np.full(len(order), True) if group is None else np.isin(order, group)
    return ranks[kept], counts[order][kept]


def thinned_ranks(count: int) -> np.ndarray:
    """Choose which ranks to draw: all, or some evenly spaced on a logarithmic axis."""
    if count <= _POINTS:
        return np.arange(count)
    return np.unique(np.rint(np.geomspace(1, count, _POINTS)).astype(int)) - 1
