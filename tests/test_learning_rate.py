"""Learning rates as exact powers, and grids of them."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optexp_jax.optim import LearningRate, lr_grid

exponents = st.fractions(min_value=-12, max_value=4, max_denominator=64)
rates = st.builds(LearningRate, exponents, st.integers(2, 12))


@pytest.mark.parametrize(
    ("exponent", "base", "text", "value"),
    [
        (-2, 10, "10^-2", 0.01),
        (0, 10, "10^0", 1.0),
        ("1/2", 10, "10^1/2", 10**0.5),
        (-1.5, 10, "10^-3/2", 10**-1.5),
        (Fraction(-4, 2), 2, "2^-2", 0.25),
    ],
)
def test_text_and_value(exponent, base, text, value):
    rate = LearningRate(exponent, base)
    assert str(rate) == text
    assert float(rate) == pytest.approx(value, rel=1e-15)
    assert rate == LearningRate.parse(text)


def test_spaces_around_a_power_are_allowed():
    assert LearningRate.parse(" 10 ^ -3/2 ") == LearningRate("-3/2")


@given(rates)
def test_parse_undoes_str(rate):
    assert LearningRate.parse(str(rate)) == rate


@given(exponents, exponents)
def test_order_is_that_of_the_exponents_and_of_the_floats(a, b):
    assert (LearningRate(a) < LearningRate(b)) == (a < b)
    assert (float(LearningRate(a)) < float(LearningRate(b))) == (a < b)


@given(st.integers(-100, 100), st.integers(0, 6))
def test_equal_exponents_make_one_rate(numerator, log_denominator):
    exponent = Fraction(numerator, 2**log_denominator)
    assert len({LearningRate(value) for value in (exponent, str(exponent), float(exponent))}) == 1


@pytest.mark.parametrize("text", ["10^x", "", "10^1/0", "10^0.5", "10", "-10^2", "10^", "0.01"])
def test_text_that_is_no_power_is_refused(text):
    with pytest.raises(ValueError, match=r"write (a power|an integer).*\.$"):
        LearningRate.parse(text)


@pytest.mark.parametrize("exponent", [0.1, float("nan"), float("inf"), "x", None, "1/0", "1/1025"])
def test_inexact_exponents_are_refused_with_the_remedy(exponent):
    with pytest.raises(ValueError, match=r"is not exact: write an integer or a fraction .*\.$"):
        LearningRate(exponent)


@pytest.mark.parametrize("base", [1, 0, -10, 10.0, True, "10"])
def test_bases_that_are_no_integers_from_2_are_refused(base):
    with pytest.raises(ValueError, match=r"integer from 2, not .*\.$"):
        LearningRate(-1, base)


grids = st.tuples(st.integers(-8, 0), st.integers(0, 4), st.integers(0, 3))


@given(grids)
def test_denser_grids_contain_the_coarser(grid):
    start, width, density = grid
    coarse = lr_grid(start, start + width, density)
    dense = lr_grid(start, start + width, density + 1)
    assert dense[::2] == coarse


@given(grids)
def test_grids_ascend_in_equal_steps_between_their_ends(grid):
    start, width, density = grid
    exponents = [rate.exponent for rate in lr_grid(start, start + width, density, base=2)]
    assert exponents[0] == start
    assert exponents[-1] == start + width
    steps = {b - a for a, b in itertools.pairwise(exponents)}
    assert steps <= {Fraction(1, 2**density)}


def test_a_grid_of_half_powers():
    assert [str(rate) for rate in lr_grid(-1, 0, 1)] == ["10^-1", "10^-1/2", "10^0"]


@pytest.mark.parametrize("arguments", [(0, -1), (-1, 0, -1), (0, 1, 11)])
def test_impossible_grids_are_refused(arguments):
    with pytest.raises(ValueError, match=r"\.$"):
        lr_grid(*arguments)
