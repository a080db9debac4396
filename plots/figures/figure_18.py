"""Figure 18: many classes alone are learned by both."""

from __future__ import annotations

from matplotlib.figure import Figure

from optexp_jax.plotting.panels import Overall
from optexp_jax.plotting.sheet import sheet
from plots.claim import Claim
from plots.figure import HORIZON, WITH_MOMENTUM, PaperFigure, until
from plots.modules import BARCODED, MNIST
from plots.runs import Runs
from plots.shared_claims import largest_loss

_BARCODES_ONLY = "vision.barcoded.mnist_barcoded_only_long"
_DATA = {"MNIST": MNIST, "Barcodes only": _BARCODES_ONLY, "MNIST + barcodes": BARCODED}


def _draw(runs: Runs) -> Figure:
    panels = []
    for name, module in _DATA.items():
        chosen = runs.chosen(module, step=HORIZON).only(*WITH_MOMENTUM)
        panels.append(Overall(chosen, name, step=HORIZON, kind=name))
    return sheet([panels], note=until(HORIZON), named=True)


FIGURE = PaperFigure("18", "many classes alone are learned by both", tuple(_DATA.values()), _draw)

CLAIMS = [
    Claim(
        "18", "barcodes only: both fit them in a third of the run (larger of the losses)",
        lambda runs: largest_loss(runs, _BARCODES_ONLY, early=True), at_most=0.05,
    ),
]  # fmt: skip
