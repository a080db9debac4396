"""Learning rates as exact powers or decimals, and grids of them."""

import copy
import decimal
import itertools
import operator
import pickle
import re
import sys
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optexp_jax.grid import grid, over_rates
from optexp_jax.identity import decode, encode
from optexp_jax.optim import SGD, LearningRate, lr_grid

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
    ways = [exponent, str(exponent)] + [float(exponent)] * (exponent <= 0)
    assert len({LearningRate(value) for value in ways}) == 1


@pytest.mark.parametrize("text", ["10^x", "", "10^1/0", "10^0.5", "10", "-10^2", "10^", "2"])
def test_text_that_is_no_power_is_refused(text):
    with pytest.raises(ValueError, match=r"\b(10\^|Fraction\()"):
        LearningRate.parse(text)


@pytest.mark.parametrize(
    "exponent",
    [
        *(0.1, float("nan"), float("inf"), None, "1/0", "1/1025", 1j, b"1", [1]),
        *(True, False, np.True_, np.float32(0.1), np.float64("nan")),
        *(decimal.Decimal("NaN"), decimal.Decimal("1e999999999"), decimal.Decimal("1e-999999999")),
    ],
)
def test_inexact_exponents_are_refused_with_the_remedy(exponent):
    with pytest.raises(ValueError, match=r"Fraction\("):
        LearningRate(exponent)


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.5, 1e300, np.float32(0.25), decimal.Decimal("0.5")])
def test_a_positive_float_may_mean_two_things(rate):
    """`LearningRate(0.5)` was 10^0.5."""
    with pytest.raises(ValueError, match=r"may mean the rate .* or the power 10\^"):
        LearningRate(rate)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.0003", "0.0003"),
        ("3e-4", "0.0003"),
        ("3.0E-4", "0.0003"),
        ("0.01", "10^-2"),
        ("1e-3", "10^-3"),
        ("1.", "10^0"),
        ("300.0", "300.0"),
        (".25", "0.25"),
        ("12345.678", "12345.678"),
        ("2.5e-9", "2.5e-9"),
        ("4e11", "4e+11"),
    ],
)
def test_decimals_are_exact_and_have_one_form(text, shown):
    rate = LearningRate(text)
    assert str(rate) == shown
    assert float(rate) == float(text)
    assert {
        rate,
        LearningRate.parse(shown),
        eval(repr(rate)),
        pickle.loads(pickle.dumps(rate)),
    } == {rate}
    assert decode(encode(SGD(text))) == SGD(rate)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0.0003, "0.0003"), (0.01, "10^-2"), (1.0, "10^0"), (1e-05, "10^-5"), (2.5e-9, "2.5e-9")),
        *((0.1 + 0.2, "0.30000000000000004"), (300.0, "300.0"), (1e22, "10^22")),
        *((np.float64(0.0003), "0.0003"), (np.float32(0.3), "0.3"), (np.float16(0.1), "0.1")),
        *((np.array(0.3), "0.3"), (decimal.Decimal("0.00030"), "0.0003")),
        *((decimal.Decimal("5"), "5.0"), (jnp.float32(0.1), "10^-1")),
    ],
)
def test_a_number_in_a_spec_is_its_shortest_decimal(number, text):
    assert SGD(number) == SGD(LearningRate.parse(text)) == SGD(str(SGD(number).learning_rate))
    assert encode(SGD(number)) == encode(SGD(text))


@given(st.floats(1e-300, 1e300))
def test_a_number_in_a_spec_is_exact(number):
    assert float(SGD(number).learning_rate) == pytest.approx(number, rel=3e-16)
    assert SGD(number) == SGD(repr(number))


def test_lists_of_numbers_are_grids():
    wanted = [SGD("0.001"), SGD("0.0003")]
    assert grid(SGD, learning_rate=[0.001, 0.0003]) == over_rates(SGD, (1e-3, 3e-4)) == wanted
    assert len({SGD(0.01), SGD("0.01"), SGD("10^-2"), SGD(LearningRate(-2))}) == 1


@given(st.integers(1, 10**17), st.integers(-30, 30))
def test_decimals_are_the_nearest_floats_and_read_again(digits, exponent):
    text = f"{digits}e{exponent}"
    assert float(LearningRate(text)) == pytest.approx(float(text), rel=3e-16)
    assert LearningRate(str(LearningRate(text))) == LearningRate(text)


def test_decimals_are_sorted_among_powers():
    rates = [LearningRate(t) for t in ("0.0003", "10^-3", "10^-7/2", "10^-4", "0.0004")]
    assert [str(r) for r in sorted(rates)] == ["10^-4", "0.0003", "10^-7/2", "0.0004", "10^-3"]


@pytest.mark.parametrize("text", ["0.0", ".0e5", "0e0"])
def test_rates_are_positive(text):
    with pytest.raises(ValueError, match="positive"):
        LearningRate(text)


@pytest.mark.parametrize("base", [1, 0, -10, 10.0, True, "10", np.True_, np.int8(1), [10]])
def test_bases_that_are_no_integers_from_2_are_refused(base):
    with pytest.raises(ValueError, match=re.escape(repr(base))):
        LearningRate(-1, base)


NEGATIVE = ["-1.5", "-.5e+2", "-0.01"]
NO_NUMBERS = [
    "\uff11",
    "-\uff12/\uff13",
    "10^\uff11",
    "\uff11\uff10^-2",
    "1_000",
    "10^1_0",
    "inf",
    "nan",
    "-inf",
    "x",
    "",
    " ",
    "--1",
]


@pytest.mark.parametrize(
    "text", [*NEGATIVE, *NO_NUMBERS, "1/2/3", "1/-2", "1 / 2", "10^0.5", "10^"]
)
def test_text_that_is_no_rate_and_no_exponent_is_refused(text):
    with pytest.raises(ValueError, match=r"'.*LearningRate\(-3\)"):
        LearningRate(text)
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        LearningRate.parse(text)


@pytest.mark.parametrize("value", [-2, 0.01, None, True, b"10^-2", LearningRate(-2)])
def test_only_text_is_parsed(value):
    with pytest.raises(ValueError):
        LearningRate.parse(value)


@pytest.mark.parametrize(
    ("exponent", "base", "text"),
    [
        (np.int64(-3), 10, "10^-3"),
        (np.float32(-1.5), np.int64(2), "2^-3/2"),
        (np.float64(-0.5), 10, "10^-1/2"),
        (decimal.Decimal("-1.5"), 10, "10^-3/2"),
        (Fraction(np.int64(-3), np.int64(2)), 10, "10^-3/2"),
        ("-3/2", 2, "2^-3/2"),
        ("+1", 10, "10^1"),
        ("2^-3", None, "2^-3"),
        ("2^-3", 2, "2^-3"),
        (np.str_("010^-4/2"), None, "10^-2"),
    ],
)
def test_exact_numbers_of_any_type_make_the_same_rate(exponent, base, text):
    rate = LearningRate(exponent, base)
    assert str(rate) == text
    assert {rate, eval(repr(rate)), pickle.loads(pickle.dumps(rate)), copy.copy(rate)} == {rate}
    assert (
        type(rate.base) is type(rate.exponent.numerator) is type(rate.exponent.denominator) is int
    )


def test_a_power_has_the_base_that_it_names():
    with pytest.raises(ValueError, match=r"'2\^3'.*\b2\b.*\b10\b"):
        LearningRate("2^3", 10)


HUGE = [400, -400, -310, 10**12, -(10**12), 10**5000, "10^400", "10^-99999", "2^1024", "2^-1023"]


@pytest.mark.parametrize(
    "arguments",
    [*((value,) for value in HUGE), (1, 10**5000), (0, 2**1024), ("10^" + "9" * 400,), (-1e300,)],
)
def test_rates_that_float64_does_not_hold_are_refused_at_once(arguments):
    with pytest.raises(ValueError, match="float64"):
        LearningRate(*arguments)


@pytest.mark.parametrize("text", ["10^308", "10^-307", "2^1023", "2^-1022", "10^-50", "10^39"])
def test_every_rate_that_float64_holds_is_one(text):
    assert float(LearningRate.parse(text)) == pytest.approx(
        float(exact(LearningRate(text))), rel=1e-15
    )


def exact(rate):
    """Its value with fifty digits."""
    with decimal.localcontext(prec=60):
        exponent = decimal.Decimal(rate.exponent.numerator) / rate.exponent.denominator
        return rate.coefficient * decimal.Decimal(rate.base) ** exponent


pieces = st.sampled_from([*"0123456789^/-+.eE_ ", "10", "10^", "^-", "1/2", "e-", "\uff11"])
texts = st.one_of(
    st.text(max_size=8),
    st.lists(pieces, max_size=8).map("".join),
    st.from_regex(r"[0-9]{1,4} ?\^ ?[-+]?[0-9]{1,5}(/[0-9]{1,5})?", fullmatch=True),
    st.from_regex(r"[-+]?[0-9]{1,3}(/[0-9]{1,4})?", fullmatch=True),
    st.floats().map(repr),
)


def rate_or_sentence(make, text):
    try:
        return make(text)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("make", [LearningRate, LearningRate.parse])
@settings(max_examples=200)
@given(text=texts)
def test_any_text_is_a_rate_or_refused_in_a_sentence(make, text):
    rate = rate_or_sentence(make, text)
    if isinstance(rate, str):
        assert rate.endswith(".")
        assert ". " not in rate.replace(repr(text), "")
        return
    assert LearningRate.parse(str(rate)) == rate == eval(repr(rate))
    assert sys.float_info.min <= float(rate) <= sys.float_info.max
    # The exponent is rounded to a float first, which errs by its own logarithm.
    value = exact(rate)
    bound = 2**-52 * (2 + abs(float(value.ln())))
    assert abs(decimal.Decimal(float(rate)) / value - 1) < bound
    assert text.isascii() or text.strip().isascii()


# ------------------------------------------------------------------------------- order

some = st.builds(
    LearningRate,
    st.fractions(-6, 6, max_denominator=12),
    st.one_of(st.integers(2, 30), st.sampled_from([2**40, 3**30, 10**20, 6**24, 10**20 + 1])),
)


@given(some, some)
def test_order_is_that_of_the_values(a, b):
    assert (a < b) + (b < a) + (a == b) == 1
    assert (a <= b, a > b, a >= b) == (a < b or a == b, b < a, not a < b)
    if a.base == b.base or abs(exact(a) / exact(b) - 1) > 1e-12:
        assert (a < b) == (exact(a) < exact(b))


@given(st.lists(some, max_size=8))
def test_order_is_total(rates):
    ascending = sorted(rates)
    assert all(a <= b for a, b in itertools.combinations(ascending, 2))
    rates.reverse()
    assert sorted(rates) == ascending


def test_values_are_compared_not_exponents():
    assert LearningRate(3, 2) < LearningRate(1, 10)
    assert LearningRate(-1, 10) < LearningRate(-3, 2)
    assert LearningRate(0, 2) < LearningRate(0, 10) < LearningRate(1, 2)
    assert LearningRate(2, 2) < LearningRate(1, 4) != LearningRate(2, 2)


def test_a_rate_is_compared_with_rates_only():
    with pytest.raises(TypeError):
        operator.lt(LearningRate(0), 1.0)


# ------------------------------------------------------------------------------- grids

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


def test_a_grid_takes_integers_of_numpy():
    assert lr_grid(np.int64(-1), np.int8(0), np.uint8(1)) == lr_grid(-1, 0, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        *((0, -1), (-1, 0, -1), (0, 1, 11), (0, 1, 10**9), (0, 10**12), (-(10**12), 0), (0, 400)),
        *((True, 2), (0, True), (-2.0, -1), (-2, -1.0), ("-2", -1), (None, 0), (np.True_, 2)),
        *((0, 1, True), (0, 1, 1.0), (0, 1, 0, True), (0, 1, 0, 1), (0, 1, 0, 10.0)),
        (10**5000, 0),
    ],
)
def test_impossible_grids_are_refused(arguments):
    with pytest.raises(ValueError):
        lr_grid(*arguments)
