"""When the next checkpoint is due: often enough to lose little, rarely enough to cost little."""

from __future__ import annotations

import time
from collections.abc import Callable

from optexp_jax.training.pack_size import Auto

SHARE = 0.02  # of the time, at most, that checkpoints take
_SHORTEST = 10.0  # seconds between two, however small they are
# Until one was written: two cores compress and hash this many bytes in a second.
_BYTES_PER_SECOND = 150e6
_FIRST_SECONDS = 1.0  # Orbax is imported


class CheckpointSpacing:
    """Spaces checkpoints so that they take at most 2 % of the time.

    What one costs is all the time from its begin until it is on disk. Most of that passes in the
    background, but on a CPU it takes cores away from training.

    Args:
        every: seconds between checkpoints; `auto` to space them by what they cost.
        clock: seconds that never go back.

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
        """Note that a checkpoint begins."""
        self._began = self._clock()

    def took(self, seconds: float) -> None:
        """Note what the last checkpoint took, in seconds."""
        self._seconds = seconds

    def is_due(self, num_bytes: int) -> bool:
        """Whether a checkpoint of so many bytes is due."""
        passed = self._clock() - self._began
        if not isinstance(self._every, str):
            return passed >= self._every
        expected = self._seconds
        if expected is None:
            expected = _FIRST_SECONDS + num_bytes / _BYTES_PER_SECOND
        return passed >= max(_SHORTEST, expected / SHARE)
