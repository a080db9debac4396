"""What a call would run, how long that takes, and what to run in less time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from optexp_jax.experiment import Experiment


@dataclasses.dataclass(frozen=True)
class Planned:
    """A run, and about what it takes.

    Args:
        experiment: what is run.
        seconds: on two cores, compilation included; None if nobody knows.
    """

    experiment: Experiment
    seconds: float | None = None


Planner = Callable[[Sequence[Experiment]], list[Planned]]


def seconds_of(runs: Sequence[Planned]) -> float | None:
    """About what runs take one after the other; None if nobody knows of one of them."""
    known = [run.seconds for run in runs if run.seconds is not None]
    return sum(known) if len(known) == len(runs) else None


def within(runs: Sequence[Planned], minutes: float) -> list[Planned]:
    """The most informative runs that fit into a time.

    What shows classes comes before what searches step sizes, the first seed before others, and
    cheap before dear, so that as many groups as possible are seen. The runs of a group and seed are
    taken together: one optimizer alone tells nothing.

    Args:
        runs: all that could be run; those of unknown time are left out.
        minutes: the time.

    Returns:
        those taken, in the order given.
    """
    units: dict[tuple[str, int], list[Planned]] = {}
    for run in runs:
        if run.seconds is not None:
            units.setdefault((run.experiment.group, run.experiment.seed), []).append(run)

    def rank(unit: list[Planned]) -> tuple[bool, int, float]:
        first = unit[0].experiment
        return (not first.per_class, first.seed, seconds_of(unit) or 0.0)

    left, taken = 60 * minutes, set()
    for unit in sorted(units.values(), key=rank):
        seconds = seconds_of(unit) or 0.0
        if seconds <= left:
            left -= seconds
            taken |= {run.experiment.run_key for run in unit}
    return [r for r in runs if r.experiment.run_key in taken]
