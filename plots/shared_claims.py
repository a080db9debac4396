"""Claims that figures on several subjects make alike."""

from __future__ import annotations

from optexp_jax.optim import NormalizedGD, SignDescent
from plots import effect_sizes as e
from plots.claim import PAPER, Claim
from plots.figure import Method, Part
from plots.runs import Runs

SIGN = (SignDescent, True)


def sign_claims(figure: str, name: str, *modules: str) -> list[Claim]:
    """What figures 5, 22, 23 and 24 say, at a third of the run."""

    def spread(runs: Runs) -> float:
        chosen = runs.chosen(*modules)
        step = e.early(chosen.any)
        sign, gd = (abs(e.spread(chosen.worst(*k), step)) for k in (SIGN, e.GD))
        return sign / gd

    def ratio(runs: Runs) -> float:
        chosen = runs.chosen(*modules)
        step = e.early(chosen.any)
        return e.rarest_ratio(chosen, SIGN, e.GD, step)

    def direction(runs: Runs) -> float:
        chosen = runs.chosen(*modules)
        step = e.early(chosen.any)
        return e.rarest_ratio(chosen, (SignDescent, False), (NormalizedGD, False), step)

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


def rare_word_claims(figure: str, name: str, module: str) -> list[Claim]:
    """What figures 1, 12, 13 and 14 say of their problem."""

    def largest_ratio(runs: Runs) -> float:
        run = runs.chosen(module).worst(*e.ADAM)
        return float((e.groups(run) / e.start(run)).max())

    return [
        Claim(
            figure, f"{name}: Adam ends 1 nat below (S)GD on the rarest group",
            lambda runs: e.rarest_gap(runs.chosen(module)), at_least=1.0,
        ),
        Claim(
            figure, f"{name}: Adam ends below (S)GD on all classes",
            lambda runs: e.overall_gap(runs.chosen(module)), at_least=0.0, origin=PAPER,
        ),
        Claim(
            figure, f"{name}: Adam ends below its start on every group (largest ratio)",
            largest_ratio, at_most=1.0, origin=PAPER,
        ),
    ]  # fmt: skip


def heavy_tail_claims(figure: str, name: str, uniform: Part, rare: Part) -> list[Claim]:
    """What figures 3, 15 and 17 say: the second gap is that of the heavy tail."""

    def widens(runs: Runs) -> float:
        return e.overall_gap(rare.chosen(runs)) - e.overall_gap(uniform.chosen(runs))

    def grows(runs: Runs) -> float:
        chosen = rare.chosen(runs)
        gaps = e.groups(chosen.worst(*e.GD)) - e.groups(chosen.worst(*e.ADAM))
        return float(gaps[e.RAREST] - gaps[e.MOST_FREQUENT])

    return [
        Claim(
            figure, f"{name}: the gap of SGD to Adam is wider under a heavy tail (nats more)",
            widens, at_least=0.0, origin=PAPER,
        ),
        Claim(
            figure, f"{name}: the gap is wider on the rarest group than on the most frequent",
            grows, at_least=0.0, origin=PAPER,
        ),
    ]  # fmt: skip


def hessian_claims(
    figure: str, name: str, module: str, method: Method, steps: tuple[int, ...] = (50, 100)
) -> list[Claim]:
    """What figures 7, 8, 26 and 28 to 31 say."""
    flat = Claim(
        figure, f"{name}: at the start the Hessian knows no frequency, |r(log H, log n)|",
        lambda runs: abs(e.hessian_correlation(runs, module, method, 0)), at_most=0.2,
    )  # fmt: skip
    later = [
        Claim(
            figure, f"{name}: by step {t} Hessian traces follow frequency, r(log H, log n)",
            lambda runs, t=t: e.hessian_correlation(runs, module, method, t), at_least=0.8,
        )
        for t in steps
    ]  # fmt: skip
    return [flat, *later]


def largest_loss(runs: Runs, module: str, early: bool = False) -> float:
    """The larger of the losses of GD and Adam, at the end or at a third of the run."""
    chosen = runs.chosen(module)
    if early:
        chosen = runs.chosen(module, step=e.early(chosen.any))
    return max(e.overall(chosen.worst(*method), chosen.step) for method in (e.GD, e.ADAM))
