"""How the runner reports its progress."""

from __future__ import annotations

from typing import Protocol

from optexp_jax.runner.pace import Work


class Display(Protocol):
    """Receive the progress of a call that runs experiments."""

    def begin(self, runs: int) -> None:
        """Expect this many runs."""

    def say(self, sentence: str) -> None:
        """Show a sentence."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """Show how much of some data is prepared; a total of 0 is unknown."""

    def pack(
        self,
        description: str,
        runs: int,
        total_steps: int,
        taken: int,
        work: Work | None = None,
    ) -> None:
        """Start a pack of runs; each has `total_steps`, of which `taken` are done.

        Where examples are texts, `work` is what a step of a run does.
        """

    def advance(self, taken: int) -> None:
        """Show that each run of the pack has taken this many steps."""

    def finished(self, runs: int) -> None:
        """Show that this many more runs have ended."""


class Silent:
    """Show nothing."""

    def begin(self, runs: int) -> None:
        """Do nothing."""

    def say(self, sentence: str) -> None:
        """Do nothing."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """Do nothing."""

    def pack(
        self,
        description: str,
        runs: int,
        total_steps: int,
        taken: int,
        work: Work | None = None,
    ) -> None:
        """Do nothing."""

    def advance(self, taken: int) -> None:
        """Do nothing."""

    def finished(self, runs: int) -> None:
        """Do nothing."""
