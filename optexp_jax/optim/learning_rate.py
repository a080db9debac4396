"""Learning rates as exact powers or decimals, and grids of them."""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import numpy as np

from optexp_jax.registry import register

_LARGEST_DENOMINATOR = 1024
_LONGEST = 60
_DENSEST = 10  # halvings of a step that this denominator allows
_EXPONENT = r"[-+]?[0-9]{1,400}(?:/[0-9]{1,400})?"
_POWER = re.compile(rf"\s*([0-9]{{1,400}})\s*\^\s*({_EXPONENT})\s*")
_TEN_TO = r"[eE][-+]?[0-9]{1,4}"
_POINT = r"(?:[0-9]{1,40}\.[0-9]{0,40}|\.[0-9]{1,40})"
_DECIMAL = re.compile(rf"\s*(?:{_POINT}(?:{_TEN_TO})?|[0-9]{{1,40}}{_TEN_TO})\s*")


@register("LearningRate")
@functools.total_ordering
@dataclasses.dataclass(frozen=True, init=False)
class LearningRate:
    """A learning rate base^exponent with a rational exponent: exact, hashable and printable.

    A decimal such as 0.0003 is 3 · 10^-4. Learning rates sort by value. Equal values of
    different bases, such as 2^2 and 4^1, are different rates; 0.01 and 10^-2 are the same.

    Args:
        exponent: the power: a number with a denominator up to 1024, or text such as `-3/2`. Text
            may also be the whole learning rate: a power such as `10^-3/2`, or a decimal such as
            `0.0003` and `3e-4`. A positive float is refused: 0.5 may mean 0.5 or 10^0.5.
        base: an integer of at least 2; None for 10, or for the base that the text names.
        coefficient: factor of the power: the digits of a decimal.

    Raises:
        ValueError: the exponent is not such a fraction, the base is too small, or float64 does not
            hold the rate.

    >>> LearningRate(-1.5)
    LearningRate('10^-3/2')
    >>> LearningRate("3e-4"), LearningRate("0.01"), float(LearningRate("0.0003"))
    (LearningRate('0.0003'), LearningRate('10^-2'), 0.0003)
    >>> float(LearningRate(-2)), str(LearningRate("1/2")), LearningRate.parse("10^-3/2").exponent
    (0.01, '10^1/2', Fraction(-3, 2))
    >>> sorted([LearningRate(1), LearningRate(3, base=2)])
    [LearningRate('2^3'), LearningRate('10^1')]

    Source: the grids of the paper, section A.4 (powers of ten, then half-powers).
    """

    exponent: Fraction
    base: int = 10
    coefficient: int = 1

    def __init__(
        self, exponent: Fraction | float | str, base: int | None = None, coefficient: int = 1
    ) -> None:
        if isinstance(exponent, str) and _DECIMAL.fullmatch(exponent) and base is None:
            coefficient, exponent = _digits(Decimal(exponent.strip()))
        power = _POWER.fullmatch(exponent) if isinstance(exponent, str) else None
        if power:
            exponent, named = power.group(2), int(power.group(1))
            if base is not None and base != named:
                raise ValueError(
                    f"{shown(power.group())} has the base {shown(named)}, not {shown(base)}: "
                    "leave the base out."
                )
            base = named
        _refuse_ambiguous(exponent)
        object.__setattr__(self, "exponent", _exact(exponent))
        object.__setattr__(self, "base", _base(10 if base is None else base))
        object.__setattr__(self, "coefficient", _coefficient(coefficient, self.base))
        _check_range(self)

    @classmethod
    def parse(cls, text: str) -> LearningRate:
        """Parse a learning rate such as `10^-3/2` or `0.0003`.

        Raises:
            ValueError: the text is neither a power nor a decimal, or one that the constructor
                refuses.
        """
        known = isinstance(text, str) and (_POWER.fullmatch(text) or _DECIMAL.fullmatch(text))
        if not known:
            raise ValueError(
                f"{shown(text)} is not a learning rate: write a power with a whole or fractional "
                "exponent, such as 10^-2 or 10^-3/2, or a decimal, such as 0.0003."
            )
        return cls(text)

    def __float__(self) -> float:
        if self.coefficient != 1:
            return float(self._decimal())
        return float(self.base) ** float(self.exponent)

    def __str__(self) -> str:
        if self.coefficient != 1:
            return _written(self._decimal())
        return f"{self.base}^{self.exponent}"

    def _decimal(self) -> Decimal:
        digits = tuple(map(int, str(self.coefficient)))
        return Decimal((0, digits, int(self.exponent)))  # exact, in every context

    def __repr__(self) -> str:
        return f"LearningRate('{self}')"

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, LearningRate):
            return NotImplemented
        # Values that round to one float are told apart by their fields.
        mine, theirs = ((float(r), r.base, r.exponent, r.coefficient) for r in (self, other))
        return mine < theirs


def _refuse_ambiguous(exponent: object) -> None:
    """Refuse a positive float: it looks like the rate itself."""
    number = exponent.item() if isinstance(exponent, np.generic) else exponent
    if isinstance(number, float | Decimal) and not math.isnan(number) and 0 < number < math.inf:
        raise ValueError(
            f"LearningRate({shown(exponent, str)}) may mean the rate {shown(exponent, str)} or the "
            f"power 10^{shown(exponent, str)}: write the rate as text, '{shown(exponent, str)}', "
            "or the exponent as a Fraction(1, 2) or text, '1/2'."
        )


def _digits(number: Decimal) -> tuple[int, Fraction]:
    """The digits of a decimal without the zeros at their end, and the power of ten behind them."""
    _, digits, exponent = number.as_tuple()
    coefficient = int("".join(map(str, digits)))
    exponent = int(exponent)
    while coefficient and coefficient % 10 == 0:
        coefficient, exponent = coefficient // 10, exponent + 1
    return coefficient, Fraction(exponent)


def _coefficient(coefficient: object, base: int) -> int:
    if type(coefficient) is not int or coefficient < 1 or (coefficient != 1 and base != 10):
        raise ValueError(
            "A learning rate is a positive number: write a power such as 10^-2 or a decimal such "
            "as 0.0003."
        )
    return coefficient


def _written(number: Decimal) -> str:
    """A decimal as people write it: 0.0003, or 3e-07 where there are many zeros."""
    text = f"{number:f}" if -7 < number.adjusted() < 7 else f"{number:e}"
    return text if re.search("[.e]", text) else f"{text}.0"


def _exact(exponent: object) -> Fraction:
    given = exponent.item() if isinstance(exponent, np.generic) else exponent
    if isinstance(given, str) and not re.fullmatch(rf"\s*{_EXPONENT}\s*", given):
        raise ValueError(
            f"{shown(given)} is no exponent such as -3/2, no power such as 10^-3/2 and no decimal "
            "such as 0.0003: write LearningRate(-3) or '10^-3'."
        )
    fraction = None
    if isinstance(given, str | numbers.Real | Decimal) and not isinstance(given, bool):
        fraction = _fraction(given)
    if fraction is None or fraction.denominator > _LARGEST_DENOMINATOR:
        raise ValueError(
            f"The exponent {shown(given)} of a learning rate is not exact: write an integer or a "
            "fraction with a small denominator, such as Fraction(-3, 2) or '-3/2'."
        )
    return fraction


def _fraction(number: str | numbers.Real | Decimal) -> Fraction | None:
    if isinstance(number, Decimal) and abs(number.adjusted()) > sys.float_info.max_10_exp:
        return None  # as a fraction it could fill the memory
    try:
        exact = Fraction(number)  # pyright: ignore[reportArgumentType, reportCallIssue]
        return Fraction(int(exact.numerator), int(exact.denominator))  # not of NumPy's integers
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None


def _base(base: object) -> int:
    number = int(base) if isinstance(base, np.integer) else base
    if type(number) is not int or number < 2:
        raise ValueError(f"The base of a learning rate is an integer from 2, not {shown(base)}.")
    return number


def _check_range(rate: LearningRate) -> None:
    try:
        value = float(rate)
    except OverflowError:
        value = math.inf
    if not sys.float_info.min <= value < math.inf:
        raise ValueError(
            f"The learning rate {shown(rate, str)} is too {'large' if value > 1 else 'small'} for "
            "float64: take an exponent nearer to 0."
        )


def shown(value: object, form: Callable[[object], str] = repr) -> str:
    """A value as the words of a sentence, even where it has a million digits."""
    try:
        text = form(value)
    except ValueError:  # an integer of more digits than Python writes
        return "of thousands of digits"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def lr_grid(start: int, end: int, density: int = 0, base: int = 10) -> list[LearningRate]:
    """Make learning rates from base^start to base^end, with exponents in steps of 2^-density.

    A higher density contains all lower ones, so a refined grid reuses the runs of a coarse one.

    Args:
        start: first exponent.
        end: last exponent, included.
        density: how often the step between exponents is halved, from 0 to 10.
        base: base of the powers, an integer of at least 2.

    Returns:
        the learning rates, smallest first.

    Raises:
        ValueError: the grid would be empty, a number is no integer, or a rate is impossible.

    >>> [str(rate) for rate in lr_grid(-2, -1, density=1)]
    ['10^-2', '10^-3/2', '10^-1']

    Source: the paper, section A.4.
    """
    for name, number in (("start", start), ("end", end), ("density", density)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer):
            raise ValueError(f"The {name} of a grid is an integer, not {number!r}.")
    if not 0 <= density <= _DENSEST:
        raise ValueError(f"The density of a grid is from 0 to {_DENSEST}, not {shown(density)}.")
    if end < start:
        raise ValueError(
            f"A grid from exponent {shown(start)} to {shown(end)} is empty: swap the two."
        )
    first, last = (LearningRate(int(exponent), base).exponent for exponent in (start, end))
    step = Fraction(1, 2 ** int(density))
    return [LearningRate(first + i * step, base) for i in range(int((last - first) / step) + 1)]
