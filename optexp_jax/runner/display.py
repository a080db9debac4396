"""The interface through which the runner reports its progress."""

from __future__ import annotations

from typing import Protocol

from optexp_jax.runner.pace import Work


class Display(Protocol):
    """Receive the progress of a call that runs experiments."""

    def begin(self, runs: int) -> None:
        """Expect this many runs in all."""

    def say(self, sentence: str) -> None:
        """Show a sentence."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """Show how much of a data set is prepared, in its own unit; a total of 0 means unknown."""

    def pack(
        self,
        description: str,
        runs: int,
        total_steps: int,
        taken: int,
        work: Work | None = None,
    ) -> None:
        """Start a pack of runs.

        Args:
            description: method, learning rates and seeds of the pack.
            runs: number of runs of the pack.
            total_steps: steps of each run.
            taken: steps already taken.
            work: tokens and FLOPs per step of a run, if the examples are texts.
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
