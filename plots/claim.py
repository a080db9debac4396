"""A claim of the paper: a number, measured on runs, and the threshold it has to meet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from plots.runs import Runs

PAPER, THEOREM, OURS = "paper", "theorem", "our reading"
LEAD = "lead"  # what another paper says, of which we know an abstract or a summary


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement that holds when a number is on one side of a threshold.

    Args:
        figure: of the paper, or `theorem 3`.
        sentence: what is said.
        measure: the number, from the runs.
        at_least: the threshold, where the number is at least that.
        at_most: the threshold, where it is at most that; a claim has one of both.
        origin: where the threshold comes from.
    """

    figure: str
    sentence: str
    measure: Callable[[Runs], float]
    at_least: float | None = None
    at_most: float | None = None
    origin: str = OURS

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"'{self.sentence}' has one threshold: at_least or at_most.")

    def holds(self, value: float) -> bool:
        """Whether a value is on the right side; NaN never is."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most

    @property
    def threshold(self) -> str:
        """The threshold in signs."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}"
