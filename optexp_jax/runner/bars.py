"""Show progress as bars, in a terminal or a notebook."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
)

from optexp_jax.runner.pace import Pace, Work


class Bars:
    """Show a bar for each data set that is prepared.

    Args:
        progress: the bars of rich.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def report(self, what: str, done: int, total: int) -> None:
        """Move a bar; for a total of 0, which means unknown, it only shows activity."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(escape(what), total=None, unit="")
        self._progress.update(self._tasks[what], completed=done, total=total or None)

    def clear(self) -> None:
        """Remove the bars."""
        for task in self._tasks.values():
            self._progress.remove_task(task)
        self._tasks = {}


class RichDisplay:
    """Show one bar for the runs of a call, with the step and the time left.

    Args:
        console: the console of rich to draw on.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TextColumn("{task.fields[unit]}"),
            console=console,
            transient=True,
        )
        self._bars = Bars(self._progress)
        self._pace = Pace()
        self._steps = self._progress.add_task("", unit="", visible=False)

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
        """Remember how many runs there are."""
        self._pace.begin(runs)

    def say(self, sentence: str) -> None:
        """Print a sentence above the bars."""
        self._console.print(escape(sentence), highlight=False, soft_wrap=True)

    def preparing(self, what: str, done: int, total: int) -> None:
        """Move the bar of a data set that is prepared."""
        self._bars.report(what, done, total)

    def pack(
        self,
        description: str,
        runs: int,
        total_steps: int,
        taken: int,
        work: Work | None = None,
    ) -> None:
        """Print the pack and start its bar, in place of those of its data."""
        self._bars.clear()
        self.say(description)
        self._pace.pack(runs, total_steps, taken, work)
        self._progress.reset(self._steps, total=total_steps)
        self._show(visible=True)

    def advance(self, taken: int) -> None:
        """Move the bar of the pack."""
        self._pace.advance(taken)
        self._show()

    def finished(self, runs: int) -> None:
        """Count runs that have ended."""
        self._pace.finish(runs)

    def _show(self, visible: bool | None = None) -> None:
        self._progress.update(
            self._steps, completed=self._pace.taken, unit=self._pace.words(), visible=visible
        )
