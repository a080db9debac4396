"""Packs: experiments that share a program and its data, and differ in learning rate and seed."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable

from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.optim import LearningRate, with_rate

MODES = ("map", "vmap")


def program_id(experiment: Experiment) -> str:
    """Identity of what decides the compiled program and its data.

    That is the experiment without its learning rate and seed, and with the seed of its data.
    """
    optimizer, seed = with_rate(experiment.optimizer, LearningRate(0)), experiment.seed
    problem = experiment.problem.with_data_seed(seed)
    return dataclasses.replace(experiment, problem=problem, optimizer=optimizer, seed=0).id


@dataclasses.dataclass(frozen=True)
class Pack:
    """Runs that are trained together.

    Args:
        experiments: equal up to the learning rate, the seed (not that of the data), the group and
            the kept steps.
        mode: `map` runs them one after the other inside the program: the rows of a run then do not
            depend on its pack, bitwise. `vmap` runs those of one seed side by side, equal to about
            1e-6.
        micro_batch: examples per forward and backward pass, None for a whole batch.
        devices: that share the batches of each run.

    Raises:
        OptexpError: an unknown mode, no experiments, or ones that differ in more.
    """

    experiments: tuple[Experiment, ...]
    mode: str = "map"
    micro_batch: int | None = None
    devices: int = 1

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise OptexpError(
                f"The pack mode '{self.mode}' is unknown: take map or vmap.",
                code="unknown-pack-mode",
                mode=self.mode,
            )
        if self.micro_batch is not None and self.micro_batch < 1:
            raise OptexpError(
                f"A micro-batch has at least one example, not {self.micro_batch}.",
                code="micro-batch-below-one",
                micro_batch=self.micro_batch,
            )
        if self.devices < 1:
            raise OptexpError(
                f"A run has at least one device, not {self.devices}.",
                code="devices-below-one",
                devices=self.devices,
            )
        if len({_shared(e, self.mode) for e in self.experiments}) != 1:
            raise OptexpError(
                "A pack holds at least one experiment, and experiments of a pack differ in the "
                "learning rate and, where they run one after the other, in the seed only.",
                code="not-one-pack",
            )

    @property
    def id(self) -> str:
        """Identity of the pack: its members in order, and how they run."""
        members = ",".join(e.id for e in self.experiments)
        return hashlib.sha256(f"{self.mode}:{members}".encode()).hexdigest()[:32]


def group_into_packs(
    experiments: Iterable[Experiment], mode: str = "map", micro_batch: int | None = None
) -> list[Pack]:
    """Packs of experiments that can share a program, in order of first appearance."""
    by_program: dict[tuple[str, int], list[Experiment]] = {}
    for experiment in experiments:
        by_program.setdefault(_shared(experiment, mode), []).append(experiment)
    return [Pack(tuple(members), mode, micro_batch) for members in by_program.values()]


def by_seed(pack: Pack) -> list[Pack]:
    """The pack in parts of one seed each."""
    seeds = dict.fromkeys(e.seed for e in pack.experiments)
    parts = (tuple(e for e in pack.experiments if e.seed == seed) for seed in seeds)
    return [dataclasses.replace(pack, experiments=part) for part in parts]


def _shared(experiment: Experiment, mode: str) -> tuple[str, int]:
    """What the experiments of a pack share; side by side, they have one order of the data."""
    return program_id(experiment), experiment.seed if mode == "vmap" else 0
