"""Theorem 3: gradient flow and sign descent in closed form. It has no figure."""

from __future__ import annotations

import numpy as np

from optexp_jax.analysis import (
    flow_loss,
    integrated_flow_margin,
    loss_of_margin,
    sign_flow_loss,
    steps_in_the_simple_setting,
)
from optexp_jax.optim import sign_descent
from plots.claim import THEOREM, Claim
from plots.runs import Runs

_PRODUCT = 5.0  # π t at which classes are compared
_SHARES = 1 / np.arange(1, 11) / np.sum(1 / np.arange(1, 11))


def _collapse(runs: Runs) -> float:
    del runs
    times = [np.array([0.0, _PRODUCT / share]) for share in _SHARES]
    margins = [integrated_flow_margin(t, s, 10)[-1] for t, s in zip(times, _SHARES, strict=True)]
    return float(np.abs(loss_of_margin(np.array(margins), 10) - flow_loss(_PRODUCT, 1.0, 10)).max())


def _sign_rate(runs: Runs) -> float:
    del runs
    losses = steps_in_the_simple_setting(sign_descent(1e-2), _SHARES, 200)
    exact = sign_flow_loss(1e-2 * np.arange(201), 10)[:, None]
    return float(np.abs(losses / exact - 1).max())


CLAIMS = [
    Claim("theorem 3", "gradient flow: losses are one function of π t (error)", _collapse,
          at_most=1e-6, origin=THEOREM),
    Claim("theorem 3", "sign descent: log(1 + (c - 1) e^-2t) for every class (relative error)",
          _sign_rate, at_most=1e-3, origin=THEOREM),
]  # fmt: skip
