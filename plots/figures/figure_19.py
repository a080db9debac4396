"""Figure 19: inputs of mean one and zero."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from optexp_jax.optim import SGD, Adam, LearningRate
from optexp_jax.plotting.panels import ByGroup, Counts, Overall
from optexp_jax.plotting.sheet import sheet
from plots import effect_sizes as e
from plots.claim import Claim
from plots.figure import PaperFigure
from plots.runs import Chosen, Runs

_STEPS = 25
_PLAIN = (e.GD_PLAIN, e.ADAM_PLAIN)
# Mean of the inputs -> module, exponents of GD and Adam.
_MEANS = {
    1: ("toy_models.smaller.changing_input.nnz_mean", ("-2", "-3")),
    0: ("toy_models.smaller.changing_input.zero_mean", ("2", "-3/2")),
}


def _draw(runs: Runs) -> Figure:
    rows, both = [], [(_at_mean(runs, mean), mean) for mean in _MEANS]
    for chosen, mean in both:
        by_group = [ByGroup(chosen.worst(*method), step=_STEPS) for method in _PLAIN]
        overall = Overall(chosen.only(*_PLAIN), f"Inputs of mean {mean}", step=_STEPS)
        rows.append([Counts.of(chosen.any), overall, *by_group])
    return sheet(rows, both[0][0].any)


def _at_mean(runs: Runs, mean: int) -> Chosen:
    """The runs on inputs of a mean, at the learning rates of the paper."""
    module, exponents = _MEANS[mean]
    gd, adam = map(LearningRate, exponents)
    return runs.at(module, SGD(gd), Adam(adam, beta1=0.0), step=_STEPS)


def _largest_spread(chosen: Chosen) -> float:
    values = [e.groups(chosen.worst(*method), _STEPS) for method in _PLAIN]
    return float(max(np.ptp(v) for v in values))


FIGURE = PaperFigure(
    "19", "inputs of mean one and zero", tuple(module for module, _ in _MEANS.values()), _draw
)

CLAIMS = [
    Claim(
        "19", "inputs of mean 1: GD has the rarest group above its start at step 25 (ratio)",
        lambda runs: e.rarest_over_start(_at_mean(runs, 1).worst(*e.GD_PLAIN), _STEPS),
        at_least=1.0,
    ),
    Claim(
        "19", "inputs of mean 1: Adam has it below half of its start at step 25 (ratio)",
        lambda runs: e.rarest_over_start(_at_mean(runs, 1).worst(*e.ADAM_PLAIN), _STEPS),
        at_most=0.5,
    ),
    Claim(
        "19", "inputs of mean 0: neither separates the groups at step 25 (larger spread, nats)",
        lambda runs: _largest_spread(_at_mean(runs, 0)), at_most=0.1,
    ),
]  # fmt: skip
