"""The figure by class from arrays that a training loop made."""

import numpy as np
import pytest
from errors import refuses

from optexp_jax.plotting import losses_by_group

COUNTS = [4, 2, 2]


def test_groups_are_means_over_examples():
    losses = [[1.0, 3.0, 5.0], [0.5, 1.0, 2.0]]
    figure = losses_by_group({"mine": losses}, COUNTS, steps=[0, 10], n_groups=2)
    frequent, rare = figure.axes[1].get_lines()
    assert frequent.get_ydata().tolist() == [1.0, 0.5]
    assert rare.get_ydata().tolist() == [4.0, 1.5]
    assert rare.get_xdata().tolist() == [0, 10]


@pytest.mark.parametrize("worst", [np.inf, np.nan, 1e9])
def test_a_loop_that_diverged_leaves_the_others_readable(worst):
    bad = np.full((3, 3), worst)
    bad[0] = 1.0
    figure = losses_by_group({"bad": bad, "good": np.ones((3, 3))}, COUNTS, n_groups=2)
    assert figure.axes[1].get_ylim()[1] <= 2.1


def test_nothing_finite_is_drawn_empty():
    figure = losses_by_group({"bad": np.full((2, 3), np.nan)}, COUNTS, n_groups=2)
    assert figure.axes[1].get_ylim() == (0.0, 1.0)


def test_arrays_that_do_not_fit_are_named():
    with refuses("wrong-shape", name="mine", shape=(2, 4), steps=2, classes=3):
        losses_by_group({"mine": np.ones((2, 4))}, COUNTS)
