"""Decide when the next checkpoint is due, so that checkpoints cost little time."""

from __future__ import annotations

import time
from collections.abc import Callable

from optexp_jax.training.modes import Auto

SHARE = 0.02  # largest share of the time that checkpoints take
_SHORTEST = 10.0  # least seconds between two checkpoints
# Assumed before the first checkpoint: two cores compress and hash this many bytes per second.
_BYTES_PER_SECOND = 150e6
_FIRST_SECONDS = 1.0  # for importing Orbax


class CheckpointSpacing:
    """Spaces checkpoints so that they take at most 2 % of the time.

    The cost of a checkpoint is the time from its start until it is on disk. Most of it is spent in
    the background, but on a CPU that takes cores away from training.

    Args:
        every: seconds between checkpoints; `auto` to space them by their cost.
        clock: returns monotonic seconds.

    >>> seconds = iter([0.0, 9.0, 55.0, 55.0, 154.0, 156.0])
    >>> spacing = CheckpointSpacing("auto", lambda: next(seconds))
    >>> spacing.is_due(num_bytes=1000), spacing.is_due(num_bytes=1000)
    (False, True)
    >>> spacing.began()
    >>> spacing.took(2.0)
    >>> spacing.is_due(1000), spacing.is_due(1000)
    (False, True)
    """

    def __init__(
        self, every: float | Auto = "auto", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._every, self._clock = every, clock
        self._seconds: float | None = None
        self._began = clock()

    def began(self) -> None:
        """Note that a checkpoint starts."""
        self._began = self._clock()

    def took(self, seconds: float) -> None:
        """Note the seconds that the last checkpoint took."""
        self._seconds = seconds

    def is_due(self, num_bytes: int) -> bool:
        """Return whether a checkpoint is due.

        Args:
            num_bytes: size of the next checkpoint in bytes.
        """
        passed = self._clock() - self._began
        if not isinstance(self._every, str):
            return passed >= self._every
        expected = self._seconds
        if expected is None:
            expected = _FIRST_SECONDS + num_bytes / _BYTES_PER_SECOND
        return passed >= max(_SHORTEST, expected / SHARE)
