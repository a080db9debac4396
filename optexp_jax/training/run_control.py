"""Whether a pack that is trained shall stop: asked by training and by who stores its rows."""

from __future__ import annotations

from typing import Protocol


class RunControl(Protocol):
    """Control that may stop the training of a pack before its last step.

    A signal does, see `optexp_jax.runner.signals.StopFlag`; so may a program that trains packs.
    """

    def is_stopping(self) -> bool:
        """Whether to leave after this chunk of steps, with a checkpoint."""
        ...

    def check(self) -> None:
        """Leave long work between two chunks, by raising; what is not in a checkpoint is lost."""


class NeverStop:
    """Trains to the end."""

    def is_stopping(self) -> bool:
        """No."""
        return False

    def check(self) -> None:
        """Go on."""


NEVER_STOP = NeverStop()
