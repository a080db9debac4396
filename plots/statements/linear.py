"""Claims on losses of linear models, and on figure 20, whose CNN is measured as they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from plots import measures as m
from plots.appendix_figures import HORIZON_RUNS, MEANS_STEPS, MORE_LINEAR, PENALISED, means
from plots.claim import PAPER, Claim
from plots.paper_figures import LINEAR
from plots.runs import Chosen, Runs
from plots.statements.shared import sign_claims


def _largest_spread(chosen: Chosen) -> float:
    values = [m.groups(chosen.worst(*k), MEANS_STEPS) for k in (m.GD_PLAIN, m.ADAM_PLAIN)]
    return float(max(np.ptp(v) for v in values))


def _horizon(name: str, part: int) -> Callable[[Runs], float]:
    def measure(runs: Runs) -> float:
        run = HORIZON_RUNS[name](runs)
        return m.rarest_over_start(run, m.last(run) // part)

    return measure


def _penalised(runs: Runs) -> tuple[float, float]:
    """The gap of GD to Adam at the smallest and at the largest penalty."""
    chosen = [runs.chosen(PENALISED, group=name) for name in runs.groups(PENALISED)]
    chosen.sort(key=lambda c: c.any.experiment.problem.l2)
    return m.overall_gap(chosen[0]), m.overall_gap(chosen[-1])


def _closed(runs: Runs) -> float:
    small, large = _penalised(runs)
    return abs(large) / small if small > 0 else float("nan")


STATEMENTS = [
    Claim(
        "4", "linear: Adam has at most half of GD's loss on the rarest group, early",
        lambda runs: m.rarest_ratio(
            runs.chosen(LINEAR), m.ADAM, m.GD, m.early(runs.chosen(LINEAR).any)
        ),
        at_most=0.5,
    ),
    Claim(
        "4", "linear: Adam halves the loss of rare classes before frequent ones (steps, ratio)",
        lambda runs: m.steps_to_halve(runs.chosen(LINEAR).worst(*m.ADAM), m.RAREST)
        / m.steps_to_halve(runs.chosen(LINEAR).worst(*m.ADAM), m.MOST_FREQUENT),
        at_most=1.0,
    ),
    Claim(
        "19", "inputs of mean 1: GD has the rarest group above its start at step 25 (ratio)",
        lambda runs: m.rarest_over_start(means(runs, 1).worst(*m.GD_PLAIN), MEANS_STEPS),
        at_least=1.0,
    ),
    Claim(
        "19", "inputs of mean 1: Adam has it below half of its start at step 25 (ratio)",
        lambda runs: m.rarest_over_start(means(runs, 1).worst(*m.ADAM_PLAIN), MEANS_STEPS),
        at_most=0.5,
    ),
    Claim(
        "19", "inputs of mean 0: neither separates the groups at step 25 (larger spread, nats)",
        lambda runs: _largest_spread(means(runs, 0)), at_most=0.1,
    ),
    *(
        Claim("20", f"{name}: the rarest group after {words} (ratio to its start)",
              _horizon(name, part), at_least=low, at_most=high)
        for name in ("Linear", "CNN")
        for part, words, low, high in (
            (100, "1/100 of the run is above its start", 1.0, None),
            (10, "1/10 of the run is above its start", 1.0, None),
            (1, "the whole run is far below", None, 0.2),
        )
    ),
    Claim("21", "under a small penalty GD ends above Adam (nats)",
          lambda runs: _penalised(runs)[0], at_least=0.0, origin=PAPER),
    Claim("21", "a large penalty closes the gap of GD to Adam (share of it that is left)",
          _closed, at_most=0.5),
    *sign_claims("22", "linear", LINEAR, MORE_LINEAR),
]  # fmt: skip
