"""Figure 21: a penalty on the weights."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from optexp_jax.plotting.panels import Overall
from optexp_jax.plotting.sheet import sheet
from plots import effect_sizes as e
from plots.claim import PAPER, Claim
from plots.figure import WITH_MOMENTUM, PaperFigure
from plots.runs import Runs

_MODULE = "toy_models.balanced_x_l2"


def _draw(runs: Runs) -> Figure:
    panels = []
    for group in runs.groups(_MODULE):
        chosen = runs.chosen(_MODULE, group=group)
        title = f"$\\lambda = 10^{{{math.log10(chosen.any.experiment.problem.l2):g}}}$"
        panels.append(Overall(chosen.only(*WITH_MOMENTUM), title))
    return sheet([panels], named=True)


def _gaps(runs: Runs) -> tuple[float, float]:
    """The gap of GD to Adam at the smallest and at the largest penalty."""
    chosen = [runs.chosen(_MODULE, group=name) for name in runs.groups(_MODULE)]
    chosen.sort(key=lambda c: c.any.experiment.problem.l2)
    return e.overall_gap(chosen[0]), e.overall_gap(chosen[-1])


def _left_open(runs: Runs) -> float:
    small, large = _gaps(runs)
    return abs(large) / small if small > 0 else float("nan")


FIGURE = PaperFigure("21", "a penalty on the weights", (_MODULE,), _draw)

CLAIMS = [
    Claim("21", "under a small penalty GD ends above Adam (nats)",
          lambda runs: _gaps(runs)[0], at_least=0.0, origin=PAPER),
    Claim("21", "a large penalty closes the gap of GD to Adam (share of it that is left)",
          _left_open, at_most=0.5),
]  # fmt: skip
