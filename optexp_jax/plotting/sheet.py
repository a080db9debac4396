"""Make one figure of rows of panels."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from optexp_jax.plotting import page, style
from optexp_jax.plotting.by_class import add_group_legend
from optexp_jax.plotting.canvas import PageFigure
from optexp_jax.plotting.curves import groups_of
from optexp_jax.plotting.panels import Panel
from optexp_jax.results.load import Results

_HEIGHT = 1.45  # inches


def sheet(
    rows: Sequence[Sequence[Panel]],
    run: Results | None = None,
    note: str = "",
    height: float = _HEIGHT,
    named: bool = False,
) -> Figure:
    """Make a figure of rows of panels, lettered (a), (b), ... if there are several.

    Panels of one kind in a row share their vertical axis and its label.

    Args:
        rows: of panels, as many in each.
        run: the run whose groups the legend below shows; None for no legend.
        note: small grey text at the bottom.
        height: of a row, in inches.
        named: whether a legend below names the lines, which all panels share, if no `run` is given.

    Returns:
        the figure, for `save`.
    """
    across = max(map(len, rows))
    with style.context():
        figure = PageFigure(figsize=(page.WIDTH, height * len(rows)), layout="constrained")
        axes = figure.subplots(len(rows), across, squeeze=False)
        letters = iter(string.ascii_lowercase)
        for i, (panels, row) in enumerate(zip(rows, axes, strict=True)):
            for unused in row[len(panels) :]:
                unused.remove()
            _draw_row(panels, list(row), letters if across * len(rows) > 1 else iter(()))
            if i + 1 < len(rows):
                _leave_out_labels(panels, rows[i + 1], list(row))
        if run is not None:
            add_group_legend(figure, groups_of(run), run.class_counts, note)
        elif note or named:
            alike = zip(*(axes.get_lines() for axes in figure.axes), strict=True) if named else ()
            names = {lines[0]: _name([str(line.get_label()) for line in lines]) for lines in alike}
            page.add_below(figure, list(names), list(names.values()), note)
    return figure


def _name(labels: Sequence[str]) -> str:
    """Name a line in all panels: without its learning rate, which follows a comma, if panels differ
    in it.

    >>> _name(["Adam, $10^{-2}$", "Adam, $10^{-1}$"]), _name(["Adam, $10^{-2}$"] * 2)
    ('Adam', 'Adam, $10^{-2}$')
    """
    return labels[0] if len(set(labels)) == 1 else labels[0].rpartition(", ")[0]


def _draw_row(panels: Sequence[Panel], row: list[Axes], letters: Iterator[str]) -> None:
    first: dict[str, Axes] = {}
    for panel, axes in zip(panels, row, strict=False):
        panel.draw(axes)
        letter = next(letters, "")
        if letter:
            axes.set_title(f"({letter}) {axes.get_title()}", pad=8, linespacing=1.0)
        if panel.kind in first:
            axes.set_ylabel("")
        first.setdefault(panel.kind, axes)
    for kind, leader in first.items():
        if kind != "heat":
            _share([axes for p, axes in zip(panels, row, strict=False) if p.kind == kind], leader)


def _share(alike: Sequence[Axes], leader: Axes) -> None:
    """Set one range for all axes, and label the ticks of the first only."""
    low = min(axes.get_ylim()[0] for axes in alike)
    high = max(axes.get_ylim()[1] for axes in alike)
    for axes in alike:
        axes.set_ylim(low, high)
        if axes is not leader:
            axes.tick_params(labelleft=False)


def _leave_out_labels(panels: Sequence[Panel], below: Sequence[Panel], row: list[Axes]) -> None:
    """Remove horizontal labels that the row below repeats."""
    for panel, under, axes in zip(panels, below, row, strict=False):
        if panel.kind == under.kind:
            axes.set_xlabel("")
