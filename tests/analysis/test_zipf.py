"""Closed forms under Zipf's law, against steps that are taken one by one."""

import numpy as np
import pytest

from optexp_jax.analysis import (
    gd_remaining,
    gd_steps_to,
    sgd_excess,
    sign_remaining,
    sign_steps_to,
    slope,
)
from optexp_jax.frequency import zipf_law

LAW = zipf_law(12, 1.0)


def test_gradient_descent_is_that_of_a_table_of_weights():
    weights, target = np.zeros((12, 12)), np.array([np.roll(LAW, k) for k in range(12)])
    for steps in range(6):
        loss = 0.5 * LAW @ ((weights - target) ** 2).sum(1)
        start = 0.5 * LAW @ (target**2).sum(1)
        assert gd_remaining(steps, LAW) == pytest.approx(loss / start, rel=1e-9, abs=1e-12)
        weights -= LAW[:, None] * (weights - target) / LAW[0]


@pytest.mark.parametrize("rate", [0.3, 0.05, 0.011])
def test_sign_descent_is_that_of_a_row(rate):
    row = np.zeros(12)
    for steps in range(40):
        expected = ((row - LAW) ** 2).sum() / (LAW**2).sum()
        assert sign_remaining(steps, rate, LAW) == pytest.approx(expected, rel=1e-6, abs=1e-9)
        row -= rate * np.sign(row - LAW)


def test_the_share_is_left_at_the_step_that_is_said_and_not_before():
    steps = gd_steps_to(0.1, LAW)
    assert gd_remaining(steps * 0.999, LAW) > 0.1 >= gd_remaining(steps, LAW)
    taken, rate = sign_steps_to(0.1, LAW)
    assert max(sign_remaining(t, rate, LAW) for t in (taken, taken + 1)) <= 0.1


def test_bias_and_variance_are_those_of_many_runs():
    law, rate, batch, runs = zipf_law(4, 1.0), 1.0, 3, 4000
    rng = np.random.default_rng(0)
    weights = np.zeros((runs, 4, 4))
    target = np.array([np.roll(law, k) for k in range(4)])
    for _ in range(5):
        words = rng.choice(4, (runs, batch), p=law)
        after = (words + rng.choice(4, (runs, batch), p=law)) % 4
        gradient = np.zeros_like(weights)
        for b in range(batch):
            at = np.arange(runs), words[:, b]
            error = weights[at] - np.eye(4)[after[:, b]]
            np.add.at(gradient, at, error / batch)
        weights -= rate * gradient
    measured = 0.5 * (((weights - target) ** 2).sum(2) @ law).mean()
    bias, variance = sgd_excess(np.array([5]), law, rate, batch)
    assert measured == pytest.approx(bias[0] + variance[0], rel=0.03)
    mean = weights.mean(0)
    assert bias[0] == pytest.approx(0.5 * ((mean - target) ** 2).sum(1) @ law, rel=0.05)


def test_slopes_tell_gradient_descent_from_sign_descent():
    words = np.array([100, 1000, 10_000])
    gd = [gd_steps_to(0.1, zipf_law(d, 1.0)) for d in words]
    assert slope(words, np.array(gd)) == pytest.approx(0.86, abs=0.02)
    sign = [sign_steps_to(0.1, zipf_law(d, 1.0))[0] for d in words]
    assert slope(words, np.array(sign)) == pytest.approx(0.56, abs=0.05)
