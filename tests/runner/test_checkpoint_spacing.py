"""Checkpoints cost at most 2 % of the time, whatever their size."""

import itertools

import pytest

from optexp_jax.runner.checkpoint_spacing import SHARE, CheckpointSpacing


def share_of(cost, num_bytes, every="auto", hours=10, chunk=2.0):
    """Simulate a run whose checkpoints take `cost` seconds; returns their share and number."""
    now = [0.0]
    spacing = CheckpointSpacing(every, lambda: now[0])
    spent, number = 0.0, 0
    while now[0] < hours * 3600:
        now[0] += chunk
        if spacing.is_due(num_bytes):
            spacing.began()
            now[0] += cost
            spent, number = spent + cost, number + 1
            spacing.took(cost)
    return spent / now[0], number


@pytest.mark.parametrize(
    ("cost", "num_bytes"), [(0.01, 10_000), (0.5, 1e7), (4.5, 6e8), (12.0, 2e9), (90.0, 2e10)]
)
def test_their_share_of_the_time_is_bounded(cost, num_bytes):
    share, number = share_of(cost, num_bytes)
    assert 0 < share <= SHARE
    assert number >= 5


def test_cheap_ones_are_ten_seconds_apart():
    _, number = share_of(0.01, 1000, hours=1)
    assert 290 <= number <= 360


@pytest.mark.parametrize("every", [0.0, 3.0, 500.0])
def test_a_number_of_seconds_is_kept_to(every):
    now = itertools.count()
    spacing = CheckpointSpacing(every, lambda: next(now))
    spacing.took(100.0)
    asked = [spacing.is_due(10**12) for _ in range(600)]
    assert asked.index(True) == max(0, every - 1)


def test_the_first_one_of_a_large_state_waits_for_what_it_will_take():
    now = [0.0]
    spacing = CheckpointSpacing("auto", lambda: now[0])
    now[0] = 100.0
    assert spacing.is_due(1000)
    assert not spacing.is_due(600_000_000)
    now[0] = 300.0
    assert spacing.is_due(600_000_000)
