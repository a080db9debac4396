"""Make figures as wide as a page: panels, one legend and one note below; save them."""

from __future__ import annotations

import io
import math
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from optexp_jax.atomic_write import atomic_write
from optexp_jax.errors import OptexpError, cause_of, remedy_of
from optexp_jax.plotting import style
from optexp_jax.plotting.curves import Curve

KINDS = ("pdf", "png")
# What would make two files of one figure differ.
_STAMPS = {"pdf": "CreationDate", "png": "Software", "svg": "Date"}
WIDTH = 5.5  # inches: the text of a NeurIPS page
_GAP = 0.03
_LEAST = 0.8  # inches of panels, however small a figure is asked for
_CHARACTERS = 125


def draw_curve(axes: Axes, curve: Curve, **line: object) -> Artist:
    """Draw the worst seed as a line, and the range over seeds as a band of its colour."""
    (artist,) = axes.plot(curve.x, curve.worst, **line)  # pyright: ignore[reportArgumentType]
    if (curve.low < curve.high).any():
        axes.fill_between(
            curve.x, curve.low, curve.high, color=artist.get_color(), alpha=0.2, linewidth=0
        )
    return artist


def add_below(
    figure: Figure,
    handles: Sequence[Artist],
    labels: Sequence[str],
    note: str = "",
    title: str | None = None,
    columns: int = 6,
    fixed: bool = False,
) -> None:
    """Extend the figure by a legend, in as many columns as fit, and a note.

    Args:
        figure: with constrained layout.
        handles: of the legend.
        labels: of the legend.
        note: small grey text at the very bottom.
        title: of the legend.
        columns: at most this many.
        fixed: whether the figure keeps its height, and the panels make room.
    """
    legend = _widest_legend(figure, handles, labels, title, columns)
    words = figure.text(
        0.5, 0, "\n".join(textwrap.wrap(note, _characters(figure))), fontsize=6, color=style.GREY,
        ha="center", va="bottom",
    )  # fmt: skip
    note_height = words.get_window_extent().height / figure.dpi + _GAP
    below = note_height + legend.get_window_extent().height / figure.dpi + _GAP
    height = figure.get_figheight()
    total = max(height, below + _LEAST) if fixed else height + below
    panels = total - below
    figure.set_figheight(total)
    figure.set_layout_engine("constrained", rect=(0, 1 - panels / total, 1, panels / total))
    legend.set_bbox_to_anchor((0.5, note_height / total))
    words.set_y(0.5 * _GAP / total)


def _characters(figure: Figure) -> int:
    """Return how many characters fit on a line of a note."""
    return max(20, round(_CHARACTERS * figure.get_figwidth() / WIDTH))


def _widest_legend(
    figure: Figure,
    handles: Sequence[Artist],
    labels: Sequence[str],
    title: str | None,
    columns: int,
) -> Legend:
    while True:
        lines = max(1, math.ceil(len(labels) / columns))
        columns = max(1, math.ceil(len(labels) / lines))
        legend = figure.legend(
            handles, labels, ncols=columns, title=title, title_fontsize=style.SMALL,
            loc="lower center", borderpad=0.2, handlelength=2.2, columnspacing=1.4,
        )  # fmt: skip
        width = legend.get_window_extent().width / figure.dpi
        if columns == 1 or width <= 0.95 * figure.get_figwidth():
            return legend
        legend.remove()
        columns -= 1


def save(
    figure: Figure, folder: str | os.PathLike[str], name: str, kinds: Sequence[str] = KINDS
) -> list[Path]:
    """Save a figure as PDF and PNG; each file is written completely or not at all.

    Args:
        figure: the figure to save.
        folder: folder for the files, created if needed.
        name: name of the files, without ending.
        kinds: endings of the files, such as `pdf`, `png` or `svg`.

    Returns:
        the paths of the files.

    Raises:
        OptexpError: the files cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_write(figure, folder / f"{name}.{kind}", kind) for kind in kinds]
    except OSError as error:
        raise OptexpError(
            f"The figure '{name}' cannot be written to {folder} ({cause_of(error)}): "
            f"{remedy_of(error)}, or choose a folder in which you may write.",
            code="figure-unwritable",
            name=name,
            folder=folder,
            cause=cause_of(error),
        ) from error


def _write(figure: Figure, path: Path, kind: str) -> Path:
    """Write one file, drawn in memory first, since Matplotlib fails badly on a full disk."""
    undated = {_STAMPS[kind]: None} if kind in _STAMPS else {}
    drawn = io.BytesIO()
    with style.context():
        figure.savefig(drawn, format=kind, metadata=undated)
    with atomic_write(path) as new:
        new.write_bytes(drawn.getvalue())
    return path
