"""Choose how `run` shows its progress."""

from __future__ import annotations

import contextlib
import importlib.util
import sys

from optexp_jax.runner.display import Display, Silent

_SECONDS = 10.0  # between lines of progress


def progress_display(progress: bool | None = None) -> contextlib.AbstractContextManager[Display]:
    """Choose how to show progress on standard error: bars, lines or nothing.

    Args:
        progress: whether to show it; None to show it in a terminal and in a notebook.
    """
    if progress is False:
        return contextlib.nullcontext(Silent())
    from rich.console import Console

    from optexp_jax.runner.bars import RichDisplay
    from optexp_jax.runner.log_display import LogDisplay

    console = Console(stderr=True)
    watched = sys.stderr is not None and sys.stderr.isatty()
    if not (progress or watched or console.is_jupyter):
        return contextlib.nullcontext(Silent())
    # In a notebook, rich draws with ipywidgets.
    if watched or (console.is_jupyter and importlib.util.find_spec("ipywidgets")):
        return RichDisplay(console)
    return contextlib.nullcontext(LogDisplay(_write, _SECONDS))


def _write(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
