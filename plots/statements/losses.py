"""Claims on losses, of all classes and of groups of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optexp_jax.optim import NormalizedGD, SignDescent
from plots import measures as m
from plots import reweighted
from plots.appendix_figures import (
    BARCODED_ONLY,
    CNN_OPTIMIZERS,
    HORIZON_RUNS,
    LAYER_NORM,
    MEANS_STEPS,
    MORE_LINEAR,
    ONE_LAYER,
    PENALISED,
    PTB,
    VIT,
    VIT_FULL,
    means,
)
from plots.claim import PAPER, Claim
from plots.paper_figures import (
    BARCODED,
    GPT,
    LAST_LAYER,
    LINEAR,
    MNIST,
    RARE_IMAGES,
    UNIFORM_IMAGES,
)
from plots.runs import Chosen, Runs

SIGN = (SignDescent, True)


def _rare_claims(figure: str, name: str, module: str) -> list[Claim]:
    """What figures 1, 12, 13 and 14 say of their problem."""
    return [
        Claim(
            figure, f"{name}: Adam ends 1 nat below (S)GD on the rarest group",
            lambda runs: m.rarest_gap(runs.chosen(module)), at_least=1.0,
        ),
        Claim(
            figure, f"{name}: Adam ends below (S)GD on all classes",
            lambda runs: m.overall_gap(runs.chosen(module)), at_least=0.0, origin=PAPER,
        ),
        Claim(
            figure, f"{name}: Adam ends below its start on every group (largest ratio)",
            lambda runs: _largest_ratio(runs, module), at_most=1.0, origin=PAPER,
        ),
    ]  # fmt: skip


def _largest_ratio(runs: Runs, module: str) -> float:
    run = runs.chosen(module).worst(*m.ADAM)
    return float((m.groups(run) / m.start(run)).max())


def _images(figure: str, name: str, uniform, rare) -> list[Claim]:
    """What figures 3, 15 and 17 say: the second gap is that of the heavy tail."""

    def widens(runs: Runs) -> float:
        return m.overall_gap(rare(runs)) - m.overall_gap(uniform(runs))

    def grows(runs: Runs) -> float:
        chosen = rare(runs)
        gaps = m.groups(chosen.worst(*m.GD)) - m.groups(chosen.worst(*m.ADAM))
        return float(gaps[m.RAREST] - gaps[m.MOST_FREQUENT])

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


def _sign_claims(figure: str, name: str, *modules: str) -> list[Claim]:
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


def _weighted(problem: str, which: int) -> Callable[[Runs], float]:
    """Loss of SGD on weights 1/π (2) or 1/√π (3), of `reweighted.compared`, less that of SGD."""

    def measure(runs: Runs) -> float:
        found = reweighted.compared(runs, problem)
        step = min(m.last(found[0]), m.last(found[which]))
        return m.overall(found[which], step) - m.overall(found[0], step)

    return measure


def _largest_loss(runs: Runs, module: str, early: bool) -> float:
    """The larger of the losses of GD and Adam, at the end or at a third of the run."""
    chosen = runs.chosen(module)
    if early:
        chosen = runs.chosen(module, step=m.early(chosen.any))
    return max(m.overall(chosen.worst(*k), chosen.step) for k in (m.GD, m.ADAM))


STATEMENTS = [
    *_rare_claims("1", "GPT-2", GPT),
    Claim(
        "1", "GPT-2: SGD ends above its start on the rarest tenth (ratio)",
        lambda runs: m.rarest_over_start(runs.chosen(GPT).worst(*m.GD)), at_least=1.0, origin=PAPER,
    ),
    Claim(
        "2", "MNIST: GD and Adam both fit it (larger of the losses)",
        lambda runs: _largest_loss(runs, MNIST, early=False), at_most=0.1,
    ),
    Claim(
        "2", "CNN: both fit the frequent half (larger of the losses)",
        lambda runs: max(m.groups(runs.chosen(BARCODED).worst(*k))[0] for k in (m.GD, m.ADAM)),
        at_most=0.5,
    ),
    Claim(
        "2", "CNN: Adam has at most a third of GD's loss on the rare half",
        lambda runs: m.rarest_ratio(runs.chosen(BARCODED), m.ADAM, m.GD), at_most=1 / 3,
    ),
    *_images(
        "3", "ResNet-18", lambda runs: runs.chosen(UNIFORM_IMAGES),
        lambda runs: runs.chosen(RARE_IMAGES),
    ),
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
    *_sign_claims("5", "last layer", LAST_LAYER),
    Claim(
        "11", "GPT-2: SGD ends above its start on the rarest tenth of validation text (ratio)",
        lambda runs: m.rarest_over_start(
            runs.chosen(GPT).worst(*m.GD), None, "va_CrossEntropyLoss"
        ),
        at_least=1.0,
    ),
    *_rare_claims("12", "transformer, PTB", PTB),
    *_rare_claims("13", "one layer, full batch", ONE_LAYER),
    *_rare_claims("14", "last layer, full batch", LAST_LAYER),
    *_images(
        "15", "ResNet-18 with LayerNorm",
        lambda runs: runs.chosen(LAYER_NORM, group="ResNet18LayerNorm_SmallImageNet"),
        lambda runs: runs.chosen(LAYER_NORM, group="ResNet18LayerNorm_HeavyTailedImageNet"),
    ),
    Claim(
        "16", "ViT on balanced classes: the gap of SGD to Adam over the loss at the start",
        lambda runs: abs(m.overall_gap(runs.chosen(VIT_FULL)))
        / m.overall(runs.chosen(VIT_FULL).any, 0),
        at_most=0.1,
    ),
    *_images(
        "17", "ViT", lambda runs: runs.chosen(VIT, group="SimpleViT_SmallImageNet"),
        lambda runs: runs.chosen(VIT, group="SimpleViT_HeavyTailedImageNet"),
    ),
    Claim(
        "18", "barcodes only: both fit them in a third of the run (larger of the losses)",
        lambda runs: _largest_loss(runs, BARCODED_ONLY, early=True), at_most=0.05,
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
    *_sign_claims("22", "linear", LINEAR, MORE_LINEAR),
    *_sign_claims("23", "one layer, full batch", ONE_LAYER),
    *_sign_claims("24", "CNN", CNN_OPTIMIZERS),
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
