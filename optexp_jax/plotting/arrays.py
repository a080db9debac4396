"""The figure by class from anyone's arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from optexp_jax.per_class import frequency_groups, mean_by_group
from optexp_jax.plotting import style
from optexp_jax.plotting.by_class import add_group_legend
from optexp_jax.plotting.panels import Counts, Lines
from optexp_jax.plotting.sheet import sheet

_ROOM = 1.05  # above the highest line


def losses_by_group(
    runs: Mapping[str, np.ndarray],
    counts: np.ndarray,
    steps: np.ndarray | None = None,
    n_groups: int = 10,
    what: str = "Loss",
) -> Figure:
    """What a training loop recorded by class, as the paper draws it: classes, then groups by run.

    Args:
        runs: what each panel is called -> class means over time, `[rows, num_classes]`.
        counts: examples of each class, `[num_classes]`.
        steps: of the rows, `[rows]`; None for 0, 1, 2, ...
        n_groups: number of frequency groups.
        what: name of the quantity.

    Returns:
        the figure, for `save`.

    Raises:
        ValueError: arrays whose lengths do not fit.

    >>> losses = {"SGD": np.ones((5, 3)), "Adam": np.zeros((5, 3))}
    >>> figure = losses_by_group(losses, np.array([4, 2, 2]), n_groups=2)
    >>> [axes.get_title() for axes in figure.axes]
    ['(a) Classes', '(b) SGD', '(c) Adam']
    """
    groups = frequency_groups(counts, n_groups)
    panels = []
    for name, values in runs.items():
        at = np.arange(len(values)) if steps is None else np.asarray(steps)
        if values.shape != (len(at), len(counts)):
            raise ValueError(
                f"'{name}' has shape {values.shape}; there are {len(at)} steps and {len(counts)} "
                "classes."
            )
        means = mean_by_group(values, counts, groups)
        lines = [
            (at, mean, {"color": color})
            for group, mean, color in zip(
                groups, means.T, style.group_colors(n_groups), strict=True
            )
            if len(group)
        ]
        low, high = float(np.nanmin(means)), float(np.nanmax(means))
        limits = (min(0.0, low), _ROOM * high if high > 0 else 1.0)
        panels.append(Lines(lines, (name, "Step", what), ylim=limits))
    figure = sheet([[Counts(np.asarray(counts), groups), *panels]])
    with style.context():
        add_group_legend(figure, groups, np.asarray(counts))
    return figure
