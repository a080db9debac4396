"""Progress as lines of a log, where nobody watches a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable

_SECONDS = 30.0


class LogDisplay:
    """A line when a pack starts, one now and then while it runs, and what there is to say.

    Args:
        write: prints a line.
        seconds: between lines on progress.
    """

    def __init__(self, write: Callable[[str], None], seconds: float = _SECONDS) -> None:
        self._write = write
        self._seconds = seconds
        self._said = float("-inf")
        self._total = self._runs = self._ended = 0

    def begin(self, runs: int) -> None:
        """Remember how many runs there are."""
        self._runs = runs

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self._write(f"[{time.strftime('%H:%M:%S')}] {sentence}")

    def preparing(self, what: str, done: int, total: int) -> None:
        """Say now and then how far the data are."""
        self._now_and_then(f"{what}: {done} of {total}" if total else f"{what}: {done}")

    def pack(self, description: str, total_steps: int, taken: int) -> None:
        """Say which pack starts."""
        self._total = total_steps
        self.say(f"{description}: step {taken} of {total_steps} over its runs")
        self._said = time.monotonic()

    def advance(self, taken: int) -> None:
        """Say now and then how far the pack is."""
        self._now_and_then(f"step {taken} of {self._total}")

    def finished(self, runs: int) -> None:
        """Say how many runs have ended."""
        self._ended += runs
        self.say(f"{self._ended} of {self._runs} runs have ended")

    def _now_and_then(self, sentence: str) -> None:
        if time.monotonic() - self._said >= self._seconds:
            self.say(sentence)
            self._said = time.monotonic()
