"""Ask whether the training of a pack should stop."""

from __future__ import annotations

from typing import Protocol


class RunControl(Protocol):
    """Stop the training of a pack before its last step.

    `optexp_jax.runner.signals.StopFlag` stops it on a signal. A program may pass its own control.
    """

    def is_stopping(self) -> bool:
        """Return whether to save a checkpoint and stop after this chunk of steps."""
        ...

    def check(self) -> None:
        """Raise to stop in the middle of a chunk; steps since the last checkpoint are lost."""


class NeverStop:
    """Never stop before the last step."""

    def is_stopping(self) -> bool:
        """Return False."""
        return False

    def check(self) -> None:
        """Do nothing."""


NEVER_STOP = NeverStop()
