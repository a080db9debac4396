"""Estimate how long runs take, and choose runs that fit into a time."""

from __future__ import annotations

from collections.abc import Sequence

from optexp_jax.forms import Planned, Planner, SmallForm

__all__ = ["Planned", "Planner", "SmallForm", "seconds_of", "within"]


def seconds_of(runs: Sequence[Planned]) -> float | None:
    """Estimate the seconds of runs one after the other; None if a run has no estimate."""
    known = [run.seconds for run in runs if run.seconds is not None]
    return sum(known) if len(known) == len(runs) else None


def within(runs: Sequence[Planned], minutes: float) -> list[Planned]:
    """Choose the most informative runs that fit into a time.

    Runs that record losses by class come before searches of learning rates, the first seed before
    others, and short runs before long ones, so that you see as many groups as possible. The runs
    of a group and seed are taken together: one optimizer alone shows no difference.

    Args:
        runs: the runs to choose from; those without an estimate are left out.
        minutes: available time in minutes.

    Returns:
        the chosen runs, in the order given.
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
