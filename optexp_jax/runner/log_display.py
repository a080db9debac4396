"""Show progress as lines of a log, for files and schedulers."""

from __future__ import annotations

import time
from collections.abc import Callable

from optexp_jax.runner.pace import Pace, Work

_SECONDS = 30.0
_FIRST = 5.0  # seconds until the first line of a pack with the time left


class LogDisplay:
    """Print a line when a pack starts, at intervals while it runs, and for every sentence.

    Args:
        write: prints a line.
        seconds: time between lines on progress, in seconds.
    """

    def __init__(self, write: Callable[[str], None], seconds: float = _SECONDS) -> None:
        self._write = write
        self._seconds = seconds
        self._due = float("-inf")
        self._pace = Pace()

    def begin(self, runs: int) -> None:
        """Remember how many runs there are."""
        self._pace.begin(runs)

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self._write(f"[{time.strftime('%H:%M:%S')}] {sentence}")

    def preparing(self, what: str, done: int, total: int) -> None:
        """Print at intervals how much of a data set is prepared."""
        self._now_and_then(lambda: f"{what}: {done} of {total}" if total else f"{what}: {done}")

    def pack(
        self,
        description: str,
        runs: int,
        total_steps: int,
        taken: int,
        work: Work | None = None,
    ) -> None:
        """Print which pack starts."""
        self._pace.pack(runs, total_steps, taken, work)
        self.say(f"{description}: {self._pace.words()}")
        self._due = time.monotonic() + min(_FIRST, self._seconds)

    def advance(self, taken: int) -> None:
        """Print at intervals the step of the runs and the time left."""
        self._pace.advance(taken)
        self._now_and_then(self._pace.words)

    def finished(self, runs: int) -> None:
        """Print how many runs have ended."""
        self._pace.finish(runs)
        total = self._pace.runs
        if total:  # 0 if damaged runs are found before any run starts
            self.say(f"{self._pace.ended} of {total} run{'' if total == 1 else 's'} ended")

    def _now_and_then(self, sentence: Callable[[], str]) -> None:
        if time.monotonic() >= self._due:
            self.say(sentence())
            self._due = time.monotonic() + self._seconds
