"""Claims that figures on several subjects make alike."""

from __future__ import annotations

from optexp_jax.optim import NormalizedGD, SignDescent
from plots import measures as m
from plots.claim import PAPER, Claim
from plots.runs import Runs

SIGN = (SignDescent, True)


def sign_claims(figure: str, name: str, *modules: str) -> list[Claim]:
    """What figures 5, 22, 23 and 24 say, at a third of the run."""

    def spread(runs: Runs) -> float:
        chosen = runs.chosen(*modules)
        step = m.early(chosen.any)
        sign, gd = (abs(m.spread(chosen.worst(*k), step)) for k in (SIGN, m.GD))
        return sign / gd

    def ratio(runs: Runs) -> float:
        chosen = runs.chosen(*modules)
        step = m.early(chosen.any)
        return m.rarest_ratio(chosen, SIGN, m.GD, step)

    def direction(runs: Runs) -> float:
        chosen = runs.chosen(*modules)
        step = m.early(chosen.any)
        return m.rarest_ratio(chosen, (SignDescent, False), (NormalizedGD, False), step)

    return [
        Claim(
            figure, f"{name}: sign descent has at most half of GD's loss on rare classes, early",
            ratio, at_most=0.5,
        ),
        Claim(
            figure, f"{name}: its gap between rare and frequent classes is at most half, early",
            spread, at_most=0.5,
        ),
        Claim(
            figure, f"{name}: the sign helps the rarest group more than normalisation, early",
            direction, at_most=1.0, origin=PAPER,
        ),
    ]  # fmt: skip
