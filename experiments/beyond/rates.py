"""Learning rates that follow from closed forms, and the lengths of runs at them."""

from __future__ import annotations

import math

from optexp_jax import LearningRate
from optexp_jax.analysis import gd_steps_to, sign_steps_to
from optexp_jax.datasets import ZipfBigram
from optexp_jax.frequency import zipf_law
from optexp_jax.optim import SGD, Optimizer, SignDescent

Timed = tuple[Optimizer, int]  # and the length of its run, in steps


def fastest_gd(dataset: ZipfBigram, share: float = 1.0) -> SGD:
    """Gradient descent at a share of the rate 1 / π_1, to six digits."""
    return SGD(_decimal(share / zipf_law(dataset.num_classes, dataset.power)[0]))


def gd_on_zipf(dataset: ZipfBigram, share: float) -> Timed:
    """Gradient descent, until a little after a share of the loss is left."""
    law = zipf_law(dataset.num_classes, dataset.power)
    return fastest_gd(dataset), math.ceil(1.3 * gd_steps_to(share, law)) + 3


def sign_on_zipf(dataset: ZipfBigram, share: float) -> Timed:
    """Sign descent at its fastest constant rate, likewise."""
    law = zipf_law(dataset.num_classes, dataset.power)
    steps, rate = sign_steps_to(share, law)
    return SignDescent(_decimal(rate)), math.ceil(1.3 * steps) + 3


def _decimal(rate: float) -> LearningRate:
    return LearningRate(f"{rate:.6g}")
