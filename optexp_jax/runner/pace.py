"""Track the progress of the runs of a call, and estimate the time left."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Work:
    """The work of one step of one run of a pack.

    Args:
        tokens: tokens per step.
        flops: model FLOPs per step, see `training.flops`; 0 to leave them out.
        peak: peak FLOP/s of all devices of the pack, from data sheets; 0 if not known.
    """

    tokens: int
    flops: float = 0.0
    peak: float = 0.0

    def at(self, steps_per_second: float) -> str:
        """Return the throughput as text.

        Args:
            steps_per_second: steps per second, summed over the runs of the pack.

        >>> Work(1000, flops=2e12, peak=1e13).at(1.5), Work(64).at(0.5)
        ('1,500 tokens/s (30% of peak FLOP/s)', '32 tokens/s')
        """
        words = f"{self.tokens * steps_per_second:,.0f} tokens/s"
        if not (self.flops and self.peak):
            return words
        return f"{words} ({self.flops * steps_per_second / self.peak:.0%} of peak FLOP/s)"


class Pace:
    """Count runs and steps, and estimate the time left from those already taken.

    The estimate leaves out the first chunk, in which the program is compiled. It assumes that every
    waiting run takes as long as those of the current pack.

    Args:
        clock: returns monotonic seconds.

    >>> seconds = iter([0.0, 9.0, 10.0])
    >>> pace = Pace(lambda: next(seconds))
    >>> pace.begin(8)
    >>> pace.pack(runs=2, total_steps=300, taken=0)
    >>> pace.words()
    'runs 1 to 2 of 8, step 0 of 300'
    >>> pace.advance(20)
    >>> pace.advance(120)
    >>> pace.words()
    'runs 1 to 2 of 8, step 120 of 300, 11 s left'
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.runs = self.ended = self.taken = self.total = 0
        self._packed = 1
        self._work: Work | None = None
        self._before = 0  # runs that ended before this pack began
        # (seconds, step) at the start, after the first chunk, and after the newest one.
        self._marks: list[tuple[float, int]] = []

    def begin(self, runs: int) -> None:
        """Start to count the runs of a call."""
        self.runs, self.ended = runs, 0

    def pack(self, runs: int, total_steps: int, taken: int, work: Work | None = None) -> None:
        """Start a pack of runs that take their steps together.

        Args:
            runs: number of runs of the pack.
            total_steps: steps of each run.
            taken: steps already taken.
            work: work of a step, to show the throughput.
        """
        self._work = work
        self._packed, self._before = runs, self.ended
        self.total, self.taken = total_steps, taken
        self._marks = [(self._clock(), taken)]

    def advance(self, taken: int) -> None:
        """Note how many steps each run of the pack has taken."""
        self.taken = taken
        if taken == self._marks[0][1]:
            return  # the initial parameters were kept, and nothing is compiled yet
        self._marks = [*self._marks[:2], (self._clock(), taken)]

    def finish(self, runs: int) -> None:
        """Note that more runs have ended."""
        self.ended += runs

    def steps_per_second(self) -> float | None:
        """Return the steps per second of each run of the pack; None before the second chunk."""
        if len(self._marks) < 3:
            return None
        (start, first), (now, last) = self._marks[1:]
        return (last - first) / (now - start) if last > first and now > start else None

    def seconds_left(self) -> float | None:
        """Estimate the seconds left for all runs; None before the second chunk."""
        rate = self.steps_per_second()
        waiting = max(self.runs - self._before - self._packed, 0)
        steps = self.total - self.taken + self.total * waiting / self._packed
        return steps / rate if rate and steps else None

    def words(self) -> str:
        """Return which runs train, their step, and the time left.

        Returns:
            text such as `run 3 of 8, step 120 of 300, 40 s left`; with tokens per second if the
            examples are texts.
        """
        first, last = self._before + 1, self._before + self._packed
        runs = f"run {first}" if first == last else f"runs {first} to {last}"
        left, rate = self.seconds_left(), self.steps_per_second()
        after = f", {self._work.at(rate * self._packed)}" if self._work and rate else ""
        after += "" if left is None else f", {duration(left)} left"
        return f"{runs} of {max(self.runs, last)}, step {self.taken} of {self.total}{after}"


def duration(seconds: float) -> str:
    """Return a time in seconds as text, in a suitable unit.

    >>> duration(0.3), duration(41), duration(600), duration(3 * 3600), duration(3e5)
    ('1 s', '41 s', '10 min', '3 h', '3 days')
    """
    for size, most, name in ((1, 100, "s"), (60, 100, "min"), (3600, 48, "h")):
        if seconds < size * most:
            return f"{max(round(seconds / size), 1)} {name}"
    return f"{seconds / 86400:.0f} days"
