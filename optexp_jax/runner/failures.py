"""Report failed runs: each reason once, with the number of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from optexp_jax.experiment import Experiment
from optexp_jax.runner.display import Display
from optexp_jax.runner.pack_run import describe
from optexp_jax.training.pack import Pack


class Failures:
    """Tell a person of failed runs, without a sentence for each.

    Args:
        display: what a person sees.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._told: dict[str, int] = {}  # reason -> how many runs had failed when it was said
        self._runs = Counter[str]()

    def tell(self, experiments: Sequence[Experiment], reason: str, more: str = "") -> None:
        """Say why runs failed, unless others failed for the same reason before.

        Args:
            experiments: the runs that failed together.
            reason: a sentence, or an error message of several lines.
            more: what to add to it.
        """
        self._runs[reason] += len(experiments)
        if experiments and reason not in self._told:
            self._told[reason] = len(experiments)
            self._display.say(f"{which_failed(experiments)}: {_first_line(reason)}{more}")

    def sum_up(self) -> None:
        """Say how many runs failed in all, for each reason that came again."""
        for reason, runs in self._runs.items():
            if runs > self._told.get(reason, 0):
                self._display.say(f"In all, {runs} runs failed: {_first_line(reason)}")


def which_failed(experiments: Sequence[Experiment]) -> str:
    """Say which runs failed, at least one: the first of them, and how many."""
    first = experiments[0]
    name = f"{first.short_id} ({describe(Pack((first,)))})"
    if len(experiments) == 1:
        return f"Run {name} failed"
    return f"{len(experiments)} runs failed, such as {name}"


def _first_line(reason: str) -> str:
    return reason.splitlines()[0]
