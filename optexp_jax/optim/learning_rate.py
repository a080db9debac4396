"""Learning rates as exact powers, and grids of them."""

from __future__ import annotations

import dataclasses
import re
from fractions import Fraction

_LARGEST_DENOMINATOR = 1024
_FORM = re.compile(r"^\s*(\d+)\s*\^\s*(-?\d+(?:/\d+)?)\s*$")


@dataclasses.dataclass(frozen=True, order=True, init=False)
class LearningRate:
    """A learning rate base^exponent with a rational exponent, hence exact, hashable and printable.

    Args:
        exponent: the power; anything `fractions.Fraction` takes with a denominator up to 1024.
        base: an integer of at least 2.

    Raises:
        ValueError: the exponent is not such a fraction, or the base is too small.

    >>> LearningRate(-1.5)
    LearningRate('10^-3/2')
    >>> float(LearningRate(-2)), str(LearningRate("1/2")), LearningRate.parse("10^-3/2").exponent
    (0.01, '10^1/2', Fraction(-3, 2))

    Source: the grids of the paper, section A.4 (powers of ten, then half-powers).
    """

    exponent: Fraction
    base: int = 10

    def __init__(self, exponent: Fraction | float | str, base: int = 10) -> None:
        if type(base) is not int or base < 2:
            raise ValueError(f"The base of a learning rate is an integer from 2, not {base!r}.")
        object.__setattr__(self, "exponent", _exact(exponent))
        object.__setattr__(self, "base", base)

    @classmethod
    def parse(cls, text: str) -> LearningRate:
        """The learning rate written as `10^-3/2`."""
        match = _FORM.match(text)
        if match is None:
            raise ValueError(
                f"'{text}' is not a learning rate: write a power with a whole or fractional "
                "exponent, such as 10^-2 or 10^-3/2."
            )
        return cls(match.group(2), int(match.group(1)))

    def __float__(self) -> float:
        return float(self.base) ** float(self.exponent)

    def __str__(self) -> str:
        return f"{self.base}^{self.exponent}"

    def __repr__(self) -> str:
        return f"LearningRate('{self}')"


def _exact(exponent: object) -> Fraction:
    try:
        fraction = Fraction(exponent)  # pyright: ignore[reportArgumentType, reportCallIssue]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        fraction = None
    if fraction is None or fraction.denominator > _LARGEST_DENOMINATOR:
        raise ValueError(
            f"The exponent {exponent!r} of a learning rate is not exact: write an integer or a "
            "fraction with a small denominator, such as Fraction(-3, 2) or '-3/2'."
        )
    return fraction


def lr_grid(start: int, end: int, density: int = 0, base: int = 10) -> list[LearningRate]:
    """Learning rates from base^start to base^end, exponents in steps of 2^-density.

    Each density contains the coarser ones, so refining a grid keeps what was already run.

    Args:
        start: first exponent.
        end: last exponent, included.
        density: halvings of the step between exponents, at least 0.
        base: base of the powers.

    Returns:
        the learning rates, smallest first.

    Raises:
        ValueError: the grid would be empty, or the density is negative.

    >>> [str(rate) for rate in lr_grid(-2, -1, density=1)]
    ['10^-2', '10^-3/2', '10^-1']

    Source: the paper, section A.4.
    """
    if density < 0:
        raise ValueError(f"The density of a grid is at least 0, not {density}.")
    if end < start:
        raise ValueError(f"A grid from exponent {start} to {end} is empty: swap the two.")
    step = Fraction(1, 2**density)
    count = (end - start) * 2**density + 1
    return [LearningRate(start + i * step, base) for i in range(count)]
