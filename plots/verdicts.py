"""What runs say of claims: at one scale, or at several, of which the first that holds counts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from optexp_jax.errors import OptexpError
from plots.claim import Claim
from plots.runs import Runs

HOLDS, FAILS, NO_DATA = "holds", "fails", "no data"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The outcome of a claim.

    Args:
        claim: the claim.
        value: what was measured, None without runs.
        reason: what is missing, empty where nothing is.
        scale: of the runs.
    """

    claim: Claim
    value: float | None
    reason: str = ""
    scale: str = "paper"

    @property
    def word(self) -> str:
        """Holds, fails, or no data."""
        if self.value is None:
            return NO_DATA
        return HOLDS if self.claim.holds(self.value) else FAILS

    @property
    def measured(self) -> str:
        """The number in words: three digits, `undefined` where the runs give none."""
        if self.value is None:
            return ""
        return "undefined" if math.isnan(self.value) else f"{self.value:.3g}"


def judged(claim: Claim, runs: Runs) -> Verdict:
    """Evaluate a claim; one without runs is no failure."""
    try:
        return Verdict(claim, float(claim.measure(runs)), scale=runs.scale)
    except OptexpError as missing:
        return Verdict(claim, None, str(missing), runs.scale)


def deciding(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that counts for a claim: the first that holds, else the first that has runs.

    Args:
        verdicts: of the claim, at one scale each.
    """
    order = (HOLDS, FAILS, NO_DATA)
    return min(verdicts, key=lambda verdict: order.index(verdict.word))


def summary(rows: Sequence[Sequence[Verdict]]) -> str:
    """How many claims hold, fail, and have no data.

    Args:
        rows: of each claim its verdicts, at one scale each.
    """
    words = [deciding(row).word for row in rows]
    holds, fails, no_data = (words.count(word) for word in (HOLDS, FAILS, NO_DATA))
    scales = [verdict.scale for verdict in rows[0]] if rows else []
    at = "" if len(scales) < 2 else f" at {' or '.join(scales)} scale"
    return f"{len(words)} claims: {holds} hold{at}, {fails} fail, {no_data} without data."
