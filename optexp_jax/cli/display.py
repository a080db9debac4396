"""What a person sees while runs go on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from optexp_jax.datasets.data import Report
from optexp_jax.runner.signals import StopFlag


class Bars:
    """A bar for each thing that is prepared, as it comes."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def report(self, what: str, done: int, total: int) -> None:
        """Move the bar of a thing; of an unknown total, it shows that work goes on."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(escape(what), total=None, unit="")
        self._progress.update(self._tasks[what], completed=done, total=total or None)

    def clear(self) -> None:
        """Take the bars away."""
        for task in self._tasks.values():
            self._progress.remove_task(task)
        self._tasks = {}


@contextlib.contextmanager
def preparing(console: Console) -> Iterator[Report]:
    """Bars for the things that are prepared in the block, and what to report them to.

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


class RichDisplay:
    """One progress bar for the steps of the pack that runs, one for all runs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._bars = Bars(self._progress)
        self._runs = self._progress.add_task("all runs", unit="runs", visible=False)
        self._steps = self._progress.add_task("", unit="steps", visible=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, runs: int) -> None:
        """Show the bar of all runs if there are several."""
        self._progress.update(self._runs, total=runs, visible=runs > 1)

    def say(self, sentence: str) -> None:
        """Print a sentence above the bars."""
        self._console.print(escape(sentence), highlight=False, soft_wrap=True)

    def preparing(self, what: str, done: int, total: int) -> None:
        """Move the bar of what prepares data."""
        self._bars.report(what, done, total)

    def pack(self, description: str, total_steps: int, taken: int) -> None:
        """Start the bar of a pack, in place of what prepared its data."""
        self._bars.clear()
        self._progress.reset(self._steps, total=total_steps)
        self._progress.update(
            self._steps, completed=taken, description=escape(description), visible=True
        )

    def advance(self, taken: int) -> None:
        """Move the bar of the pack."""
        self._progress.update(self._steps, completed=taken)

    def finished(self, runs: int) -> None:
        """Move the bar of all runs."""
        self._progress.advance(self._runs, runs)
