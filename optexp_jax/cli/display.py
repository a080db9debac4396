"""The progress shown while data are prepared."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from optexp_jax.datasets.data import Report
from optexp_jax.runner.bars import Bars
from optexp_jax.runner.signals import StopFlag


@contextlib.contextmanager
def preparing(console: Console) -> Iterator[Report]:
    """Show a bar for each part of the data prepared in the block; yields where to report.

    Raises:
        Stopped: a signal asked to stop.
    """
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
    )
    with StopFlag() as stop, progress:
        yield stop.watching(Bars(progress).report)
        stop.check()
