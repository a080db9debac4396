"""Figure 33: entries of the Hessian of a linear model. Its claim is that of figure 9."""

from __future__ import annotations

from matplotlib.figure import Figure

from plots import effect_sizes as e
from plots.figure import PaperFigure
from plots.hessian_figures import entries
from plots.modules import LINEAR
from plots.runs import Runs
from plots.trajectory import along

_STEPS = (0, 100)


def _draw(runs: Runs) -> Figure:
    trajectory = along(runs, LINEAR, e.ADAM)
    return entries(trajectory, [t for t in _STEPS if t in trajectory.steps])


FIGURE = PaperFigure("33", "entries of the Hessian of a linear model", (LINEAR,), _draw)
