"""Figure 9: blocks of the Hessian of a linear model."""

from __future__ import annotations

from matplotlib.figure import Figure

from plots import effect_sizes as e
from plots.claim import Claim
from plots.figure import PaperFigure
from plots.hessian_figures import blocks
from plots.modules import LINEAR
from plots.runs import Runs
from plots.trajectory import along

_STEPS = (0, 10, 50, 100)


def _draw(runs: Runs) -> Figure:
    trajectory = along(runs, LINEAR, e.ADAM)
    return blocks(trajectory, [t for t in _STEPS if t in trajectory.steps])


FIGURE = PaperFigure("9", "blocks of the Hessian of a linear model", (LINEAR,), _draw)

CLAIMS = [
    Claim(
        "9, 33", "linear: diagonal blocks over the others by step 100 (medians; c - 1 on average)",
        lambda runs: e.diagonal_over_rest(runs, LINEAR, e.ADAM, 100), at_least=100,
    ),
]  # fmt: skip
