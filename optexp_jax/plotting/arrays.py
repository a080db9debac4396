"""Plot losses by class from arrays of any training loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from optexp_jax.errors import OptexpError
from optexp_jax.per_class import frequency_groups, mean_by_group
from optexp_jax.plotting import style
from optexp_jax.plotting.by_class import add_group_legend
from optexp_jax.plotting.panels import Counts, Lines
from optexp_jax.plotting.sheet import sheet
from optexp_jax.shapes import Shaped

_ROOM = 1.05  # above the highest line


def losses_by_group(
    runs: Mapping[str, ArrayLike],
    counts: ArrayLike,
    steps: Shaped[np.ndarray, " rows"] | Sequence[float] | None = None,
    n_groups: int = 10,
    what: str = "Loss",
) -> Figure:
    """Plot losses by class that your own training loop recorded, by frequency group.

    Args:
        runs: title of each panel -> class means over time, `[rows, num_classes]`.
        counts: examples of each class, `[num_classes]`.
        steps: of the rows, `[rows]`; None for 0, 1, 2, ...
        n_groups: number of frequency groups.
        what: name of the quantity.

    Returns:
        the figure, for `save`.

    Raises:
        OptexpError: the lengths of the arrays do not match.

    >>> losses = {"SGD": np.ones((5, 3)), "Adam": np.zeros((5, 3))}
    >>> figure = losses_by_group(losses, np.array([4, 2, 2]), n_groups=2)
    >>> [axes.get_title() for axes in figure.axes]
    ['(a) Classes', '(b) SGD', '(c) Adam']
    """
    counts = np.asarray(counts)
    groups = frequency_groups(counts, n_groups)
    panels = []
    for name, recorded in runs.items():
        values = np.asarray(recorded)
        at = np.arange(len(values)) if steps is None else np.asarray(steps)
        if values.shape != (len(at), len(counts)):
            raise OptexpError(
                f"'{name}' has shape {values.shape}, but there are {len(at)} steps and "
                f"{len(counts)} classes: pass one row for each step.",
                code="wrong-shape",
                name=name,
                shape=values.shape,
                steps=len(at),
                classes=len(counts),
            )
        means = mean_by_group(values, counts, groups)
        lines = [
            (at, mean, {"color": color})
            for group, mean, color in zip(
                groups, means.T, style.group_colors(n_groups), strict=True
            )
            if len(group)
        ]
        panels.append(Lines(lines, (name, "Step", what), ylim=_limits(means)))
    figure = sheet([[Counts(counts, groups), *panels]])
    with style.context():
        add_group_legend(figure, groups, counts)
    return figure


def _limits(means: Shaped[np.ndarray, "rows groups"]) -> tuple[float, float]:
    """Return a range for all finite values, up to twice the start; spikes leave the axes."""
    finite = means[np.isfinite(means)]
    if not finite.size:
        return 0.0, 1.0
    first = means[0][np.isfinite(means[0])]
    high = float(min(finite.max(), 2 * first.max() if first.size else np.inf))
    return min(0.0, float(finite.min())), _ROOM * high if high > 0 else 1.0
