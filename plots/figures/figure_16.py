"""Figure 16: a vision transformer on balanced classes."""

from __future__ import annotations

from matplotlib.figure import Figure

from optexp_jax.plotting.panels import Counts, Overall
from optexp_jax.plotting.sheet import sheet
from plots import effect_sizes as e
from plots.claim import Claim
from plots.figure import WITH_MOMENTUM, PaperFigure
from plots.runs import Runs

_MODULE = "vision.imagenet.vit_full"


def _draw(runs: Runs) -> Figure:
    chosen = runs.chosen(_MODULE)
    panels = [Counts.of(chosen.any), Overall(chosen.only(*WITH_MOMENTUM), legend=True)]
    return sheet([panels], chosen.any)


FIGURE = PaperFigure("16", "a vision transformer on balanced classes", (_MODULE,), _draw)

CLAIMS = [
    Claim(
        "16", "ViT on balanced classes: the gap of SGD to Adam over the loss at the start",
        lambda runs: abs(e.overall_gap(runs.chosen(_MODULE)))
        / e.overall(runs.chosen(_MODULE).any, 0),
        at_most=0.1,
    ),
]  # fmt: skip
