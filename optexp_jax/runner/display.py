"""What the runner tells about its progress."""

from __future__ import annotations

from typing import Protocol


class Display(Protocol):
    """What the launcher tells about its progress."""

    def begin(self, runs: int) -> None:
        """So many runs are about to start."""

    def say(self, sentence: str) -> None:
        """Show a sentence."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """So much of what prepares data is done; a total of 0 is unknown."""

    def pack(self, description: str, total_steps: int, taken: int) -> None:
        """A pack starts, of so many steps over all its runs, of which some are taken."""

    def advance(self, taken: int) -> None:
        """So many steps of the pack are taken."""

    def finished(self, runs: int) -> None:
        """So many more runs have ended."""


class Silent:
    """Shows nothing."""

    def begin(self, runs: int) -> None:
        """Nothing."""

    def say(self, sentence: str) -> None:
        """Nothing."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """Nothing."""

    def pack(self, description: str, total_steps: int, taken: int) -> None:
        """Nothing."""

    def advance(self, taken: int) -> None:
        """Nothing."""

    def finished(self, runs: int) -> None:
        """Nothing."""
