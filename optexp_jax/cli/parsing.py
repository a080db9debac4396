"""Parts that the parsers of all commands share; light imports, so that `--help` is fast."""

from __future__ import annotations

import argparse
import re
import shutil
from typing import Any, NoReturn

from optexp_jax.runner.output import complain

_DIGITS = 15  # numbers of which floats do not lose a digit
_MOST = 10**_DIGITS - 1
NUMBER = re.compile(f"[0-9]{{1,{_DIGITS}}}")
SHOWN = 40  # characters of a mistake
_WIDTH = 80


class Parser(argparse.ArgumentParser):
    """Report mistakes as one sentence with exit code 2, without the usage text."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and end the process."""
        complain(f"{message}; --help lists the options.")
        raise SystemExit(2)


class Help(argparse.RawDescriptionHelpFormatter):
    """Help texts of at most 80 columns, with descriptions and examples as they are written."""

    def __init__(self, prog: str) -> None:
        width = min(shutil.get_terminal_size().columns, _WIDTH)
        super().__init__(prog, max_help_position=26, width=width)


def examples(*pairs: tuple[str, str]) -> str:
    """The end of a help text: commands, each with what it does.

    >>> print(examples(("optexp results list", "list the groups")))
    examples:
      optexp results list
          list the groups
    """
    return "\n".join(["examples:", *(f"  {command}\n      {text}" for command, text in pairs)])


def add_where(parser: Any) -> None:
    """Add the option `--where FIELD=VALUE`, which selects runs: see `where.filtered`.

    Args:
        parser: a parser, or a group of its options.
    """
    parser.add_argument(
        "--where",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="only runs with this value, e.g. beta2=0.99 or batching.size=64; may be repeated",
    )


def positive(text: str) -> int:
    """A whole number from 1, for argparse.

    >>> positive("12")
    12
    """
    if not NUMBER.fullmatch(text) or int(text) < 1:
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
        most = f" to {_MOST:,}" if len(text) > _DIGITS else ""
        raise argparse.ArgumentTypeError(f"'{shown}' is not a whole number from 1{most}")
    return int(text)
