"""The context in which commands run: settings, console, and how to run experiments."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from optexp_jax.config import Settings
from optexp_jax.experiment import Experiment
from optexp_jax.results.run_folders import RunFolders

if TYPE_CHECKING:
    from optexp_jax.runner.display import Display
    from optexp_jax.runner.options import RunOptions


@dataclasses.dataclass(frozen=True)
class Context:
    """The values that every command needs.

    Args:
        settings: the environment.
        console: where to print.
        command: the command that was called, such as `python -m experiments.linreg`.
        scale: suffix for commands in messages, ` --scale small` or nothing.
    """

    settings: Settings
    console: Console
    command: str
    scale: str = ""

    @functools.cached_property
    def folders(self) -> RunFolders:
        """The folders of the runs of the workspace."""
        return RunFolders(self.settings.workspace)

    def say(self, text: str = "") -> None:
        """Print a line as it is."""
        self.console.print(escape(text), highlight=False, soft_wrap=True)

    def run_experiments(self, experiments: Sequence[Experiment], options: RunOptions) -> int:
        """Run experiments with a progress display; returns the exit code."""
        from optexp_jax.runner.local import run_local

        with self._display() as display:
            outcome = run_local(experiments, self.settings, options, display, self.folders)
        if outcome.stopped:
            self.say("Stopped. Recorded results are kept; run the same command to resume.")
            return 128 + outcome.stopped
        return 1 if outcome.failed or outcome.missing else 0

    def _display(self) -> contextlib.AbstractContextManager[Display]:
        """Bars in a terminal, lines elsewhere."""
        from optexp_jax.runner.bars import RichDisplay
        from optexp_jax.runner.log_display import LogDisplay

        if self.console.is_terminal:
            return RichDisplay(self.console)
        return contextlib.nullcontext(LogDisplay(self.say))
