"""The simple imbalanced setting: closed forms, the differential equation, and discrete steps."""

import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optexp_jax.analysis import (
    flow_loss,
    flow_margin,
    integrated_flow_margin,
    loss_of_margin,
    sign_flow_loss,
    steps_in_the_simple_setting,
)
from optexp_jax.optim import sign_descent

C = 10
ZIPF = 1 / np.arange(1, C + 1)
ZIPF = ZIPF / ZIPF.sum()


@pytest.mark.parametrize("share", ZIPF[[0, 4, 9]])
@pytest.mark.parametrize("classes", [2, C, 1000])
def test_the_closed_form_solves_the_differential_equation(share, classes):
    times = np.geomspace(1e-3, 1e4, 40)
    times[0] = 0
    solved = integrated_flow_margin(times, share, classes)
    np.testing.assert_allclose(flow_margin(times, share, classes), solved, atol=1e-7)


@given(st.floats(0, 1e12), st.floats(1e-6, 1), st.integers(2, 100_000))
def test_the_margin_solves_its_equation(time, share, classes):
    u = flow_margin(time, share, classes)
    right = 1 + classes * share * time
    assert np.exp(u) + (classes - 1) * u == pytest.approx(right, rel=1e-9)


def test_known_values():
    # Computed independently of this code: numerically, with ten classes of 1/k.
    losses = flow_loss(np.array([1.0, 10.0, 10.0, 100.0]), ZIPF[[0, 9, 0, 9]], C)
    np.testing.assert_allclose(losses, [2.00651, 2.00651, 0.54408, 0.54408], atol=1e-5)
    assert ZIPF[0] * 1000 * flow_loss(1000.0, ZIPF[0], C) == pytest.approx(0.918, abs=1e-3)


@given(st.floats(1, 1e9), st.integers(2, 10_000))
def test_the_loss_falls_as_one_over_share_times_time(scaled, classes):
    z = classes - 1
    loss = flow_loss(scaled, 1.0, classes)
    assert z / (2 * classes * scaled) <= loss * (1 + 1e-9)
    assert loss <= z / scaled * (1 + 1e-9)


def test_discrete_sign_descent_is_the_flow_of_the_sign_for_every_class():
    rate, steps = 1e-2, 150
    losses = steps_in_the_simple_setting(sign_descent(rate), ZIPF, steps)
    expected = sign_flow_loss(rate * np.arange(steps + 1), C)
    np.testing.assert_allclose(losses, np.broadcast_to(expected[:, None], losses.shape), rtol=1e-4)


def test_small_steps_of_gradient_descent_follow_the_flow():
    rate, steps = 0.02, 1000
    losses = steps_in_the_simple_setting(optax.sgd(rate), ZIPF, steps)
    time = rate * np.arange(steps + 1)[:, None]
    np.testing.assert_allclose(losses, flow_loss(time, ZIPF, C), rtol=3e-3)


def test_a_loss_starts_at_that_of_a_guess():
    assert flow_loss(0.0, 0.3, C) == pytest.approx(np.log(C))
    assert loss_of_margin(0.0, C) == pytest.approx(np.log(C))
