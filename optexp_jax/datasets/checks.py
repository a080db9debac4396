"""What fields of data sets may hold, refused in one sentence if they do not."""

from __future__ import annotations

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


def check_number(name: str, value: object, least: float = 0.0) -> None:
    """Refuse what is not a finite number from `least`.

    Raises:
        OptexpError: as above.
    """
    if type(value) not in (int, float) or not least <= value < float("inf"):  # type: ignore[operator]
        raise OptexpError(f"{name} is a number from {least:g}, not {value!r}.")


def check_flag(name: str, value: object) -> None:
    """Refuse what is neither True nor False.

    Raises:
        OptexpError: as above.
    """
    if type(value) is not bool:
        raise OptexpError(f"{name} is True or False, not {value!r}.")
