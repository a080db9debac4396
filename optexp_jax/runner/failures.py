"""Report failed runs: each reason once, with the number of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from optexp_jax.experiment import Experiment
from optexp_jax.runner.display import Display
from optexp_jax.runner.pack_run import describe
from optexp_jax.training.pack import Pack


class Failures:
    """Report failed runs, without a sentence for each run.

    Args:
        display: receives the sentences.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._told: dict[str, int] = {}  # reason -> number of runs in its first report
        self._runs = Counter[str]()

    def tell(self, experiments: Sequence[Experiment], reason: str, more: str = "") -> None:
        """Report why runs failed, unless this reason was reported before.

        Args:
            experiments: the runs that failed together.
            reason: a sentence, or an error message of several lines.
            more: text to add after the reason.
        """
        self._runs[reason] += len(experiments)
        if experiments and reason not in self._told:
            self._told[reason] = len(experiments)
            self._display.say(f"{which_failed(experiments)}: {_first_line(reason)}{more}")

    def sum_up(self) -> None:
        """Report how many runs failed in all, for each reason that occurred again."""
        for reason, runs in self._runs.items():
            if runs > self._told.get(reason, 0):
                self._display.say(f"In all, {runs} runs failed: {_first_line(reason)}")


def which_failed(experiments: Sequence[Experiment]) -> str:
    """Return which runs failed: how many, and the first of them. There must be at least one."""
    first = experiments[0]
    name = f"{first.short_id} ({describe(Pack((first,)))})"
    if len(experiments) == 1:
        return f"Run {name} failed"
    return f"{len(experiments)} runs failed, such as {name}"


def _first_line(reason: str) -> str:
    return reason.splitlines()[0]
