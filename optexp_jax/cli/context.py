"""What each option of the command line does."""

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
    """What every command knows.

    Args:
        settings: the environment.
        console: where to print.
        command: how the program was called, such as `python -m experiments.linreg`.
        scale: suffix of the commands that are shown, ` --scale small` or nothing.
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
            self.say("Stopped. What was recorded is kept; the same command goes on from there.")
            return 128 + outcome.stopped
        return 1 if outcome.failed or outcome.missing else 0

    def _display(self) -> contextlib.AbstractContextManager[Display]:
        """Bars for a person at a terminal, lines for a file."""
        from optexp_jax.cli.display import RichDisplay
        from optexp_jax.cli.log_display import LogDisplay

        if self.console.is_terminal:
            return RichDisplay(self.console)
        return contextlib.nullcontext(LogDisplay(self.say))
