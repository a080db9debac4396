"""Claims on what is solved in closed form, and on the frequencies of words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optexp_jax.analysis import (
    flow_loss,
    integrated_flow_margin,
    loss_of_margin,
    sign_flow_loss,
    steps_in_the_simple_setting,
)
from optexp_jax.optim import Adam, SignDescent, sign_descent
from plots import measures as m
from plots import tokens
from plots.claim import THEOREM, Claim
from plots.paper_figures import QUADRATIC
from plots.runs import Runs

_PRODUCT = 5.0  # π t at which classes are compared


def _quadratic(runs: Runs) -> float:
    run = runs.chosen(QUADRATIC).worst(*m.GD_PLAIN)
    weights = np.sqrt(2 * run.per_class["tr_SquaredLossPerClass"])
    shares = run.class_counts / run.class_counts.sum()
    rate = float(run.experiment.optimizer.learning_rate)
    exact = np.abs((1 - rate * shares) ** run.per_class_steps[:, None])
    return float(np.abs(weights - exact).max())


def _quadratic_spread(kind: type) -> Callable[[Runs], float]:
    def measure(runs: Runs) -> float:
        run = runs.chosen(QUADRATIC).worst(kind, False)
        return float(np.ptp(np.sqrt(2 * run.per_class["tr_SquaredLossPerClass"]), axis=1).max())

    return measure


def _zipf(runs: Runs) -> float:
    """Distance from one of the exponent of the counts of words, over the ranks 10 to 1,000."""
    counts = tokens.word_counts(runs)
    ranked = np.sort(counts[counts > 0])[::-1][9:1000]
    exponent = -np.polyfit(np.log(np.arange(10, 10 + len(ranked))), np.log(ranked), 1)[0]
    return float(abs(exponent - 1))


def _collapse(runs: Runs) -> float:
    del runs
    shares = 1 / np.arange(1, 11) / np.sum(1 / np.arange(1, 11))
    times = [np.array([0.0, _PRODUCT / share]) for share in shares]
    margins = [integrated_flow_margin(t, s, 10)[-1] for t, s in zip(times, shares, strict=True)]
    return float(np.abs(loss_of_margin(np.array(margins), 10) - flow_loss(_PRODUCT, 1.0, 10)).max())


def _sign_rate(runs: Runs) -> float:
    del runs
    shares = 1 / np.arange(1, 11) / np.sum(1 / np.arange(1, 11))
    losses = steps_in_the_simple_setting(sign_descent(1e-2), shares, 200)
    exact = sign_flow_loss(1e-2 * np.arange(201), 10)[:, None]
    return float(np.abs(losses / exact - 1).max())


STATEMENTS = [
    Claim("6", "GD follows (1 - η π_k)^t (largest error)", _quadratic,
          at_most=1e-6, origin=THEOREM),
    Claim("6", "sign descent treats all classes alike (spread)", _quadratic_spread(SignDescent),
          at_most=1e-3, origin=THEOREM),
    Claim("6", "Adam treats all classes alike (spread)", _quadratic_spread(Adam),
          at_most=1e-3, origin=THEOREM),
    Claim("10", "words follow 1 / rank (distance of the exponent from 1)", _zipf, at_most=0.2),
    Claim("theorem 3", "gradient flow: losses are one function of π t (error)", _collapse,
          at_most=1e-6, origin=THEOREM),
    Claim("theorem 3", "sign descent: log(1 + (c - 1) e^-2t) for every class (relative error)",
          _sign_rate, at_most=1e-3, origin=THEOREM),
]  # fmt: skip
