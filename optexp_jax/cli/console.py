"""The console that commands print on."""

from __future__ import annotations

import os
import re

from rich.console import Console

_SIZES = ("COLUMNS", "LINES")  # of a terminal


def make_console() -> Console:
    """Make a console that does not cut tables when the output is a file.

    It does not replace `:names:` by emoji, and ignores COLUMNS unless it is a number.
    """
    numbers = {
        k: v for k, v in os.environ.items() if k not in _SIZES or re.fullmatch("0*[1-9][0-9]*", v)
    }
    console = Console(emoji=False, _environ=numbers)
    return console if console.is_terminal else Console(emoji=False, width=180)
