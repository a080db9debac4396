"""Figure 16: a vision transformer on balanced classes."""

from __future__ import annotations

import numpy as np
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
    counts = chosen.any.class_counts
    # Groups of one frequency are alike: one colour, and nothing to name.
    classes = Counts(counts, [np.flatnonzero(counts)], title="Classes, all of one size")
    methods = Overall(chosen.only(*WITH_MOMENTUM), legend=True)
    return sheet([[classes, methods]], note=chosen.note)


FIGURE = PaperFigure("16", "a vision transformer on balanced classes", (_MODULE,), _draw)

CLAIMS = [
    Claim(
        "16", "ViT on balanced classes: the gap of SGD to Adam over the loss at the start",
        lambda runs: abs(e.overall_gap(runs.chosen(_MODULE)))
        / e.overall(runs.chosen(_MODULE).any, 0),
        at_most=0.1,
    ),
]  # fmt: skip
