"""Check the fields of models and data sets; each error is one sentence."""

from __future__ import annotations

import math
import sys
from typing import Any

from optexp_jax.errors import OptexpError


def named(name: str) -> dict[str, str]:
    """The values of an error on a field: `width of MLP` is the field `width` of the kind `MLP`."""
    field, _, kind = name.partition(" of ")
    return {"field": field, "kind": kind}


def check_integer(name: str, value: object, least: int = 1) -> None:
    """Raise an error unless a value is an integer from `least`.

    Args:
        name: of the field, for the sentence.
        value: of the field.
        least: the smallest that is allowed.

    Raises:
        OptexpError: such as `size of X is an integer from 1, not 0.`
    """
    if type(value) is not int or not least <= value < 2**32:
        raise OptexpError(
            f"{name} must be an integer from {least}, not {value!r}.",
            code="not-an-integer",
            **named(name),
            value=value,
            least=least,
        )


def check_seed(name: str, seed: object) -> None:
    """Raise an error unless a seed is None or an integer from 0.

    Raises:
        OptexpError: as above.
    """
    if seed is not None:
        check_integer(f"seed of {name}", seed, 0)


def check_kind(name: str, value: object, kinds: Any, example: str) -> None:
    """Raise an error unless a value has one of the kinds that a field takes.

    Raises:
        OptexpError: such as `tokens of PTB is a value such as Words(100), not 5.`
    """
    if not isinstance(value, kinds):
        raise OptexpError(
            f"{name} must be a value such as {example}, not {value!r}.",
            code="wrong-kind",
            **named(name),
            value=value,
            example=example,
        )


def check_number(name: str, value: object, least: float = 0.0) -> None:
    """Raise an error unless a value is a finite number from `least`.

    Raises:
        OptexpError: as above.
    """
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not (least <= number and abs(number) <= sys.float_info.max):
        bound = f" from {least:g}" if math.isfinite(least) else ""
        raise OptexpError(
            f"{name} must be a number{bound}, not {value!r}.",
            code="not-a-number",
            **named(name),
            value=value,
            least=least,
        )


def check_flag(name: str, value: object) -> None:
    """Raise an error unless a value is True or False.

    Raises:
        OptexpError: as above.
    """
    if type(value) is not bool:
        raise OptexpError(
            f"{name} must be True or False, not {value!r}.",
            code="not-a-flag",
            **named(name),
            value=value,
        )


def check_sizes(model: Any, *names: str) -> None:
    """Raise an error unless fields are integers from 1.

    Raises:
        OptexpError: such a field.
    """
    for name in names:
        value = getattr(model, name)
        if type(value) is not int or value < 1:
            kind = type(model).__name__
            raise OptexpError(
                f"{name} of {kind} must be an integer from 1, not {value!r}.",
                code="not-an-integer",
                field=name,
                kind=kind,
                value=value,
                least=1,
            )


def check_choice(model: Any, name: str, choices: tuple[str, ...]) -> None:
    """Raise an error unless a field is one of the choices.

    Raises:
        OptexpError: such a field.
    """
    value = getattr(model, name)
    if value not in choices:
        listed = ", ".join(choices)
        raise OptexpError(
            f"{name} of {type(model).__name__} must be one of {listed}, not {value!r}.",
            code="not-a-choice",
            field=name,
            kind=type(model).__name__,
            value=value,
            choices=choices,
        )


def check_dropout(model: Any) -> None:
    """Raise an error unless a dropout is a probability below 1.

    Raises:
        OptexpError: such a dropout.
    """
    if type(model.dropout) not in (int, float) or not 0 <= model.dropout < 1:
        raise OptexpError(
            f"dropout of {type(model).__name__} must be at least 0 and below 1, not "
            f"{model.dropout!r}.",
            code="dropout-outside",
            kind=type(model).__name__,
            value=model.dropout,
        )
