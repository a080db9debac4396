"""Methods x groups of classes: final losses as coloured tables, side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from optexp_jax.plotting import page, style
from optexp_jax.plotting.canvas import PageFigure

_ROW = 0.19  # inches


@dataclasses.dataclass(frozen=True)
class Table:
    """A panel.

    Args:
        title: over it.
        rows: by name of the method, losses of groups, most frequent first.
    """

    title: str
    rows: Mapping[str, np.ndarray]


def tables(
    parts: Sequence[Table], note: str = "Loss at the end, at the best rate of each."
) -> Figure:
    """Tables with methods in one order: by their loss on the rarest group, on average of ranks."""
    names = _by_rank(parts)
    widths = [len(next(iter(part.rows.values()))) for part in parts]
    with style.context():
        height = _ROW * len(names) + 0.75
        figure = PageFigure(figsize=(page.WIDTH, height), layout="constrained")
        axes = figure.subplots(
            1, len(parts), width_ratios=[max(w, 5) for w in widths], squeeze=False
        )[0]
        for part, ax in zip(parts, axes, strict=True):
            values = np.array([part.rows[name] for name in names])
            draw_cells(ax, values, f"{style.HEAT}_r", (values.min(), values.max()))
            ax.set_title(part.title, pad=6)
            ax.set_xticks([0.5, values.shape[1] - 0.5], ["frequent", "rare"])
            ax.set_yticks(np.arange(len(names)) + 0.5, names if ax is axes[0] else [])
        page.add_below(figure, [], [], note)
    return figure


def draw_cells(axes: Axes, values: np.ndarray, colors: str, limits: tuple[float, float]) -> None:
    """Draw a table of numbers, the first row on top, in colours between two limits."""
    low, high = limits
    drawn = axes.pcolormesh(
        values, cmap=colors, vmin=low, vmax=high, edgecolors="white", linewidth=0.4
    )
    for (row, col), value in np.ndenumerate(values):
        red, green, blue, _ = drawn.to_rgba(value)
        dark = 0.3 * red + 0.6 * green + 0.1 * blue < 0.5
        axes.text(col + 0.5, row + 0.5, f"{value:.1f}", ha="center", va="center",
                  fontsize=style.SMALL - 2, color="white" if dark else "black")  # fmt: skip
    axes.tick_params(length=0)
    axes.grid(False)
    axes.invert_yaxis()


def _by_rank(parts: Sequence[Table]) -> list[str]:
    names = list(parts[0].rows)
    rare = np.array([[part.rows[name][-1] for name in names] for part in parts])
    ranks = np.argsort(np.argsort(rare, axis=1), axis=1).mean(axis=0)
    return [names[i] for i in np.argsort(ranks, kind="stable")]
