"""Check texts that become lines of a batch script, or parts of lines."""

from __future__ import annotations

from optexp_jax.config import control_character
from optexp_jax.errors import OptexpError


def one_line(name: str, text: str) -> str:
    """Return the text if it can be a part of one line.

    Args:
        name: what the text is, for the error.
        text: any text.

    Raises:
        OptexpError: a character ends the line, or cannot be in a script.

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
