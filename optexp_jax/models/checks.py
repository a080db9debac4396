"""Sentences about impossible models."""

from __future__ import annotations

from typing import Any

from optexp_jax.errors import OptexpError


def check_sizes(model: Any, *names: str) -> None:
    """Refuse fields that are not integers from 1.

    Raises:
        OptexpError: such a field.
    """
    for name in names:
        value = getattr(model, name)
        if type(value) is not int or value < 1:
            kind = type(model).__name__
            raise OptexpError(f"{name} of {kind} is an integer from 1, not {value!r}.")


def check_choice(model: Any, name: str, choices: tuple[str, ...]) -> None:
    """Refuse a field that is none of the choices.

    Raises:
        OptexpError: such a field.
    """
    value = getattr(model, name)
    if value not in choices:
        listed = ", ".join(choices)
        raise OptexpError(f"{name} of {type(model).__name__} is one of {listed}, not {value!r}.")


def check_dropout(model: Any) -> None:
    """Refuse a dropout that is no probability below 1.

    Raises:
        OptexpError: such a dropout.
    """
    if type(model.dropout) not in (int, float) or not 0 <= model.dropout < 1:
        raise OptexpError(
            f"dropout of {type(model).__name__} is at least 0 and below 1, not {model.dropout!r}."
        )
