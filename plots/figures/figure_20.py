"""Figure 20: one learning rate, ever longer."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from optexp_jax.optim import SGD, LearningRate
from optexp_jax.plotting.panels import ByGroup
from optexp_jax.plotting.sheet import sheet
from optexp_jax.results.load import Results
from plots import effect_sizes as e
from plots.claim import Claim
from plots.figure import PaperFigure, there
from plots.runs import Runs

_LINEAR = "toy_models.smaller.balanced_x_smaller_longer_perclass"
_CNN = "vision.barcoded.mnist_and_barcoded_longest_perclass"
_PARTS = (100, 10, 1)  # of the whole run
# The same distance in all, as runs at small scale are a third as long.
_SLOW_RATES = {"paper": "-2", "medium": "-3/2", "small": "-3/2"}


def _slow(runs: Runs) -> Results:
    return runs.at(_LINEAR, SGD(LearningRate(_SLOW_RATES[runs.scale]))).worst(*e.GD_PLAIN)


def _best(runs: Runs) -> Results:
    return runs.chosen(_CNN).worst(*e.GD_PLAIN)


# The linear model at one slow learning rate, the CNN at its best.
_RUNS = {"Linear": _slow, "CNN": _best}
_MODULES = {"Linear": _LINEAR, "CNN": _CNN}


def _draw(runs: Runs) -> Figure:
    rows = []
    for name in there(_MODULES, runs):
        run = _RUNS[name](runs)
        last = e.last(run)
        titles = (f"{name}, {last // part:,} steps" for part in _PARTS)
        rows.append([ByGroup(run, t, step=last // p) for t, p in zip(titles, _PARTS, strict=True)])
    return sheet(rows, note="From the most frequent classes (dark) to the rarest (light).")


def _rarest_after(name: str, part: int) -> Callable[[Runs], float]:
    def measure(runs: Runs) -> float:
        run = _RUNS[name](runs)
        return e.rarest_over_start(run, e.last(run) // part)

    return measure


FIGURE = PaperFigure("20", "one learning rate, ever longer", (_LINEAR, _CNN), _draw, parts=True)

CLAIMS = [
    Claim("20", f"{name}: the rarest group after {words} (ratio to its start)",
          _rarest_after(name, part), at_least=low, at_most=high)
    for name in _RUNS
    for part, words, low, high in (
        (100, "1/100 of the run is above its start", 1.0, None),
        (10, "1/10 of the run is above its start", 1.0, None),
        (1, "the whole run is far below", None, 0.2),
    )
]  # fmt: skip
