"""Shorten numbers for a page: JSON has neither NaN nor infinity, and few digits suffice."""

from __future__ import annotations

import math
from collections.abc import Iterable

DIGITS = 4


def short(value: float) -> float | None:
    """Round a number to four digits; None if it is not finite.

    >>> [short(v) for v in (0.123456, 12345678.0, float("nan"), float("inf"))]
    [0.1235, 12350000.0, None, None]
    """
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def shortened(values: Iterable[float]) -> list[float | None]:
    """Round many numbers."""
    return [short(float(value)) for value in values]
