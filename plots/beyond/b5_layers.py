"""Figure B5: which layers of a transformer need Adam."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from optexp_jax.grid import method_name
from optexp_jax.results.load import Results
from optexp_jax.results.selection import worst_seed
from plots import effect_sizes as e
from plots.beyond.table import Table, tables
from plots.claim import LEAD, Claim
from plots.figure import PaperFigure
from plots.runs import Runs

_MODULE = "beyond.layers"
_NAMES = {
    "SGD + momentum": "SGD",
    "Adam + momentum": "Adam",
    "SGD, Adam on head, norm": "Adam on head and norms",
    "SGD, Adam on head": "Adam on the head",
    "Adam, SGD on head": "Adam on all but the head",
    "Adalayer + momentum": "Adalayer",
    "AdamMini + momentum": "Adam-mini",
    "ColumnNormalizedGD + momentum": "Columns normalised",
    "ColumnNormalizedGD": "Columns, momentum on head",
}


def finals(runs: Runs) -> dict[str, Results]:
    """The run of each method at its best rate."""
    chosen = runs.chosen(_MODULE)
    return {_NAMES[method_name(o)]: worst_seed(seeds) for o, seeds in chosen.runs.items()}


def _draw(runs: Runs) -> Figure:
    rows = {name: e.groups(run) for name, run in finals(runs).items()}
    return tables([Table("Transformer, text", rows)])


def _left(name: str) -> Callable[[Runs], float]:
    """The share of the gap of SGD to Adam on the rarest group that a method leaves."""

    def measure(runs: Runs) -> float:
        rare = {n: e.groups(run)[e.RAREST] for n, run in finals(runs).items()}
        return float((rare[name] - rare["Adam"]) / (rare["SGD"] - rare["Adam"]))

    return measure


FIGURE = PaperFigure("B5", "which layers need Adam", (_MODULE,), _draw)

_SAID = "leaves little of the gap of SGD to Adam on the rarest group (share)"
CLAIMS = [
    Claim("B5", f"Adam on head and norms {_SAID}", _left("Adam on head and norms"),
          at_most=0.2, origin=LEAD),
    Claim("B5", f"Adam on the head alone {_SAID}", _left("Adam on the head"), at_most=0.2),
    Claim("B5", "Adam on all but the head leaves half of it (share)",
          _left("Adam on all but the head"), at_least=0.5),
    Claim("B5", f"Adalayer {_SAID}", _left("Adalayer"), at_most=0.3),
    Claim("B5", f"Adam-mini {_SAID}", _left("Adam-mini"), at_most=0.2),
    Claim("B5", f"SGD with normalised columns, momentum on the head only, {_SAID}",
          _left("Columns, momentum on head"), at_most=0.2),
]  # fmt: skip
