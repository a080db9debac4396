"""Powers of integers with rational exponents, compared without rounding."""

from __future__ import annotations

import decimal
import math
from fractions import Fraction

_SURE = 1e-12  # relative difference of logarithms that float64 tells for certain
_DIGITS = 40


def compare_powers(base: int, exponent: Fraction, other: int, other_exponent: Fraction) -> int:
    """The sign of base^exponent - other^other_exponent.

    Args:
        base: from 2, below 2^1024.
        exponent: rational.
        other: from 2, below 2^1024.
        other_exponent: rational.

    Returns:
        -1, 0 or 1.

    >>> compare_powers(2, Fraction(3), 10, Fraction(1))
    -1
    >>> compare_powers(4, Fraction(1, 2), 2, Fraction(1))
    0
    """
    if base == other:
        return _sign(exponent - other_exponent)
    # Both to the power of the product of the denominators: the exponents are integers m and n.
    m = exponent.numerator * other_exponent.denominator
    n = other_exponent.numerator * exponent.denominator
    if _sign(m) != _sign(n) or m == 0:
        return _sign(_sign(m) - _sign(n))
    shared = math.gcd(m, n)
    return _sign(m) * _compare(base, abs(m) // shared, other, abs(n) // shared)


def _compare(base: int, m: int, other: int, n: int) -> int:
    """The sign of base^m - other^n for coprime m and n from 1, without raising to these powers."""
    left, right = m * math.log(base), n * math.log(other)
    if abs(left - right) > _SURE * max(left, right):
        return _sign(left - right)
    if _are_equal(base, m, other, n):
        return 0
    digits = _DIGITS
    while True:  # they differ, so some precision shows it
        with decimal.localcontext(prec=digits):
            a, b = m * decimal.Decimal(base).ln(), n * decimal.Decimal(other).ln()
            if abs(a - b) > max(a, b).scaleb(4 - digits):
                return _sign(a - b)
        digits *= 2


def _are_equal(base: int, m: int, other: int, n: int) -> bool:
    """Whether base^m = other^n: for coprime m and n, both are powers of one root."""
    if n > base.bit_length() or m > other.bit_length():
        return False
    low, high = 1, 1 << (base.bit_length() // n + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**n <= base else (low, middle)
    return low**n == base and low**m == other


def _sign(number: int | float | Fraction | decimal.Decimal) -> int:
    return (number > 0) - (number < 0)
