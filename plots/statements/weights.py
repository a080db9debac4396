"""Claims on losses whose classes are weighted."""

from __future__ import annotations

from collections.abc import Callable

from plots import measures as m
from plots import reweighted
from plots.claim import PAPER, Claim
from plots.runs import Runs


def _weighted(problem: str, which: int) -> Callable[[Runs], float]:
    """Loss of SGD on weights 1/π (2) or 1/√π (3), of `reweighted.compared`, less that of SGD."""

    def measure(runs: Runs) -> float:
        found = reweighted.compared(runs, problem)
        step = min(m.last(found[0]), m.last(found[which]))
        return m.overall(found[which], step) - m.overall(found[0], step)

    return measure


STATEMENTS = [
    *(
        Claim("25", f"{problem}: SGD on weights 1/√π ends no higher than SGD (nats more)",
              _weighted(problem, 3), at_most=0.0, origin=PAPER)
        for problem in reweighted.PROBLEMS
    ),
    *(
        Claim("25", f"{problem}: so does SGD on weights 1/π (nats more than SGD)",
              _weighted(problem, 2), at_most=0.0, origin=PAPER)
        for problem in ("Linear model", "CNN, barcodes")
    ),
]  # fmt: skip
