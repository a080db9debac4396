"""Figure 2: a CNN on MNIST, and with many rare classes."""

from __future__ import annotations

from matplotlib.figure import Figure

from plots import effect_sizes as e
from plots.claim import Claim
from plots.figure import PaperFigure, beside
from plots.modules import BARCODED, MNIST
from plots.runs import Runs
from plots.shared_claims import largest_loss


def _draw(runs: Runs) -> Figure:
    return beside("MNIST", runs.chosen(MNIST), "MNIST + barcodes", runs.chosen(BARCODED))


FIGURE = PaperFigure("2", "a CNN on MNIST, and with many rare classes", (MNIST, BARCODED), _draw)

CLAIMS = [
    Claim(
        "2", "MNIST: GD and Adam both fit it (larger of the losses)",
        lambda runs: largest_loss(runs, MNIST), at_most=0.1,
    ),
    Claim(
        "2", "CNN: both fit the frequent half (larger of the losses)",
        lambda runs: max(e.groups(runs.chosen(BARCODED).worst(*k))[0] for k in (e.GD, e.ADAM)),
        at_most=0.5,
    ),
    Claim(
        "2", "CNN: Adam has at most a third of GD's loss on the rare half",
        lambda runs: e.rarest_ratio(runs.chosen(BARCODED), e.ADAM, e.GD), at_most=1 / 3,
    ),
]  # fmt: skip
