"""Figure B4: the optimizers of today by frequency of the classes, on three problems."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from optexp_jax.optim import SGD, Muon, Optimizer, ScheduleFreeAdamW
from optexp_jax.results.load import Results
from optexp_jax.results.selection import worst_seed
from plots import effect_sizes as e
from plots.beyond.table import Table, tables
from plots.claim import Claim
from plots.figure import PaperFigure
from plots.runs import Runs

_PROBLEMS = {
    "Linear": "beyond.today_linear",
    "Transformer, text": "beyond.today_text",
    "CNN, barcodes": "beyond.today_barcoded",
}
MARGIN = 0.5  # nats


def finals(runs: Runs, problem: str) -> dict[str, Results]:
    """The run of each method at its best rate."""
    chosen = runs.chosen(_PROBLEMS[problem])
    return {name_of(optimizer): worst_seed(seeds) for optimizer, seeds in chosen.runs.items()}


def name_of(optimizer: Optimizer) -> str:
    """What a method is called here."""
    if isinstance(optimizer, Muon):
        return "Muon, all layers" if "head" in optimizer.takes else "Muon, not the head"
    names: dict[type, str] = {SGD: "SGD", ScheduleFreeAdamW: "Schedule-free"}
    return names.get(type(optimizer), type(optimizer).__name__)


def _draw(runs: Runs) -> Figure:
    """Optimizers x groups, a panel for each problem."""
    return tables([
        Table(problem, {name: e.groups(run) for name, run in finals(runs, problem).items()})
        for problem in _PROBLEMS
    ])  # fmt: skip


def _helped(problem: str) -> Callable[[Runs], float]:
    """How many of the other methods end so far below SGD on the rarest group."""

    def measure(runs: Runs) -> float:
        rare = {name: e.groups(run)[e.RAREST] for name, run in finals(runs, problem).items()}
        return float(sum(loss <= rare["SGD"] - MARGIN for loss in rare.values()))

    return measure


def _muon_over_adam(problem: str) -> Callable[[Runs], float]:
    def measure(runs: Runs) -> float:
        found = finals(runs, problem)
        muon, adam = (e.groups(found[name])[e.RAREST] for name in ("Muon, all layers", "Adam"))
        return float(muon - adam)

    return measure


def _widens(problem: str) -> Callable[[Runs], float]:
    """Spread over methods on the rarest group over that on the most frequent."""

    def measure(runs: Runs) -> float:
        groups = np.array([e.groups(run) for run in finals(runs, problem).values()])
        spread = groups.std(axis=0)
        return float(spread[e.RAREST] / spread[e.MOST_FREQUENT])

    return measure


FIGURE = PaperFigure("B4", "optimizers of today by frequency", tuple(_PROBLEMS.values()), _draw)

CLAIMS = [
    claim
    for problem in _PROBLEMS
    for claim in (
        Claim("B4", f"{problem}: 7 of 9 methods end {MARGIN} nats below SGD on the rarest group",
              _helped(problem), at_least=7),
        Claim("B4", f"{problem}: methods differ more on the rarest group than on the most frequent",
              _widens(problem), at_least=1.0),
        Claim("B4", f"{problem}: Muon on all layers ends below Adam on the rarest group (nats)",
              _muon_over_adam(problem), at_most=0.0),
    )
]  # fmt: skip
