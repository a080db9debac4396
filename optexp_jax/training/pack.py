"""Packs: experiments that share a program and its data, and differ in learning rate and seed."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.optim import LearningRate, with_rate

MODES = ("map", "vmap")
SHARDS = ("data", "fsdp")


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
        shard: what they share beside: nothing more (`data`), or also parameters, gradients and
            optimizer states (`fsdp`); equal up to rounding.
        remat: whether blocks of the model are computed again in the backward pass, which takes
            less memory and more time.

    Raises:
        OptexpError: an unknown mode or shard, no experiments, or ones that differ in more.
    """

    experiments: tuple[Experiment, ...]
    mode: str = "map"
    micro_batch: int | None = None
    devices: int = 1
    shard: str = "data"
    remat: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise OptexpError(
                f"There is no pack mode '{self.mode}': choose map or vmap.",
                code="unknown-pack-mode",
                mode=self.mode,
            )
        if self.shard not in SHARDS:
            raise OptexpError(
                f"There is no way '{self.shard}' to share a run: choose data or fsdp.",
                code="unknown-shard",
                shard=self.shard,
            )
        if self.micro_batch is not None and self.micro_batch < 1:
            raise OptexpError(
                f"A micro-batch needs at least one example, not {self.micro_batch}.",
                code="micro-batch-below-one",
                micro_batch=self.micro_batch,
            )
        if self.devices < 1:
            raise OptexpError(
                f"A run needs at least one device, not {self.devices}.",
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
    def how(self) -> dict[str, Any]:
        """How the runs are trained: all but what they are."""
        names = [f.name for f in dataclasses.fields(self) if f.name != "experiments"]
        return {name: getattr(self, name) for name in names}

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
    return _parts(pack, lambda e: e.seed)


def by_rate(pack: Pack) -> list[Pack]:
    """The pack in parts of one learning rate each."""
    return _parts(pack, lambda e: e.optimizer)


def _parts(pack: Pack, key: Callable[[Experiment], object]) -> list[Pack]:
    parts: dict[object, list[Experiment]] = {}
    for experiment in pack.experiments:
        parts.setdefault(key(experiment), []).append(experiment)
    return [dataclasses.replace(pack, experiments=tuple(part)) for part in parts.values()]


def _shared(experiment: Experiment, mode: str) -> tuple[str, int]:
    """Key that the experiments of a pack share; with `vmap`, also the order of the data."""
    return program_id(experiment), experiment.seed if mode == "vmap" else 0
