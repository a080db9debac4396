"""What a call would run, how long that takes, and what to run in less time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from rich.table import Table

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


Plan = Callable[[Sequence[Experiment]], list[Planned]]


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
            taken |= {run.experiment.place for run in unit}
    return [r for r in runs if r.experiment.place in taken]


def plan_table(runs: Sequence[Planned]) -> Table:
    """Runs and minutes of each group, and the sums."""
    table = Table(show_footer=True)
    groups: dict[str, list[Planned]] = {}
    for run in runs:
        groups.setdefault(run.experiment.group, []).append(run)
    table.add_column("group", "all", overflow="fold")
    table.add_column("runs", str(len(runs)), justify="right")
    table.add_column("minutes", _minutes(seconds_of(runs)), justify="right")
    for group, members in groups.items():
        table.add_row(group, str(len(members)), _minutes(seconds_of(members)))
    return table


def _minutes(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds / 60:.1f}"
