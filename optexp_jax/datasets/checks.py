"""What fields of data sets may hold, refused in one sentence if they do not."""

from __future__ import annotations

import math
import sys
from typing import Any

from optexp_jax.errors import OptexpError


def check_integer(name: str, value: object, least: int = 1) -> None:
    """Refuse what is not an integer from `least`.

    Args:
        name: of the field, for the sentence.
        value: of the field.
        least: the smallest that is allowed.

    Raises:
        OptexpError: such as `size of X is an integer from 1, not 0.`
    """
    if type(value) is not int or not least <= value < 2**32:
        raise OptexpError(f"{name} is an integer from {least}, not {value!r}.")


def check_seed(name: str, seed: object) -> None:
    """Refuse what is neither None nor an integer from 0.

    Raises:
        OptexpError: as above.
    """
    if seed is not None:
        check_integer(f"seed of {name}", seed, 0)


def check_kind(name: str, value: object, kinds: Any, example: str) -> None:
    """Refuse what is of no kind that a field takes.

    Raises:
        OptexpError: such as `tokens of PTB is a value such as Words(100), not 5.`
    """
    if not isinstance(value, kinds):
        raise OptexpError(f"{name} is a value such as {example}, not {value!r}.")


def check_number(name: str, value: object, least: float = 0.0) -> None:
    """Refuse what is not a finite number from `least`.

    Raises:
        OptexpError: as above.
    """
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not (least <= number and abs(number) <= sys.float_info.max):
        bound = f" from {least:g}" if math.isfinite(least) else ""
        raise OptexpError(f"{name} is a number{bound}, not {value!r}.")


def check_flag(name: str, value: object) -> None:
    """Refuse what is neither True nor False.

    Raises:
        OptexpError: as above.
    """
    if type(value) is not bool:
        raise OptexpError(f"{name} is True or False, not {value!r}.")
