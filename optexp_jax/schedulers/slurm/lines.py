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
            "out, or rename what has it."
        )
    return text


def quoted(name: str, text: str) -> str:
    """The text as SLURM reads a value of a directive: in quotes, which a backslash takes in.

    Raises:
        OptexpError: it has a backslash, for which SLURM would leave the number out of a log's name.

    >>> print(quoted("folder", 'my "work"'))
    "my \\"work\\""
    """
    if "\\" in text:
        raise OptexpError(
            f"The {name} has a backslash, which SLURM does not take in the names of logs: rename "
            "what has it, or set OPTEXP_WORKSPACE to another folder."
        )
    return '"' + text.replace('"', '\\"') + '"'
