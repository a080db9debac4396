"""Texts that become lines of a batch script, or parts of them."""

from __future__ import annotations

from optexp_jax.config import control_character
from optexp_jax.errors import OptexpError


def one_line(name: str, text: str) -> str:
    """The text, which is a part of one line.

    Args:
        name: what it is.
        text: any text.

    Raises:
        OptexpError: it has a character that ends a line, or that no script can have.

    >>> one_line("command", "python\\nreboot")
    Traceback (most recent call last):
    ...
    optexp_jax.errors.OptexpError: The command has the character U+000A, which would break the
    batch script: leave it out, or rename what has it.
    """
    found = control_character(text)
    if found:
        raise OptexpError(
            f"The {name} has the character {found}, which would break the batch script: leave it "
            "out, or rename what has it.",
            code="control-character",
            name=name,
            found=found,
        )
    return text
