"""Figure 27: predicted probability of the correct class."""

from __future__ import annotations

from matplotlib.figure import Figure

from plots import effect_sizes as e
from plots.claim import PAPER, Claim
from plots.figure import WITH_MOMENTUM, PaperFigure
from plots.hessian_figures import probabilities
from plots.modules import LINEAR
from plots.runs import Runs
from plots.trajectory import along


def _draw(runs: Runs) -> Figure:
    return probabilities([along(runs, LINEAR, method) for method in WITH_MOMENTUM])


FIGURE = PaperFigure("27", "predicted probability of the correct class", (LINEAR,), _draw)

CLAIMS = [
    Claim(
        "27", "linear: probability of the right class on rare classes at step 100, Adam less GD",
        lambda runs: e.rarest_probability(runs, LINEAR, e.ADAM, 100)
        - e.rarest_probability(runs, LINEAR, e.GD, 100),
        at_least=0.0, origin=PAPER,
    ),
]  # fmt: skip
