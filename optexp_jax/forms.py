"""The sizes that experiments come in: as in the paper, and smaller forms of them.

A smaller form of a group has the name of the group plus `_small` or `_medium`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from optexp_jax.experiment import Experiment

SCALES = ("paper", "medium", "small")


@dataclasses.dataclass(frozen=True)
class Planned:
    """A run, and about how long it takes.

    Args:
        experiment: what is run.
        seconds: on two cores, compilation included; None where it is not known.
    """

    experiment: Experiment
    seconds: float | None = None


Planner: TypeAlias = Callable[[Sequence["Experiment"]], list[Planned]]


@dataclasses.dataclass(frozen=True)
class SmallForm:
    """Make the small form of a list of experiments; knows about how long its runs take.

    Args:
        plan: gives the small form, with times.
        medium: gives the medium form of those that have one, likewise.
    """

    plan: Planner
    medium: Planner | None = None

    def __call__(self, experiments: Sequence[Experiment]) -> list[Experiment]:
        """The small form of experiments."""
        return self.at("small", experiments)

    def at(self, scale: str, experiments: Sequence[Experiment]) -> list[Experiment]:
        """The form of experiments at a scale; empty where they have none."""
        return [run.experiment for run in self.planned(scale, experiments)]

    def planned(self, scale: str, experiments: Sequence[Experiment]) -> list[Planned]:
        """The form of experiments at a scale, with times; empty where they have none."""
        if scale == "paper":
            return [Planned(experiment) for experiment in experiments]
        plan = {"small": self.plan, "medium": self.medium}[scale]
        return plan(experiments) if plan else []


def scale_of(group: str) -> str:
    """The scale of a group, by its name.

    >>> scale_of("Bigram_medium"), scale_of("Bigram")
    ('medium', 'paper')
    """
    ending = group.rpartition("_")[2]
    return ending if ending in SCALES else "paper"


def plain_group(group: str) -> str:
    """The name of a group without its scale.

    >>> plain_group("Bigram_medium"), plain_group("Bigram")
    ('Bigram', 'Bigram')
    """
    return group if scale_of(group) == "paper" else group.rpartition("_")[0]


def option_of(scale: str) -> str:
    """How a command says its scale; nothing for that of the paper.

    >>> option_of("small"), option_of("paper")
    (' --scale small', '')
    """
    return "" if scale == "paper" else f" --scale {scale}"
