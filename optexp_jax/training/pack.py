"""Packs: experiments that share a program and its data, but not learning rate and seed."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.optim import LearningRate, with_rate
from optexp_jax.training.modes import MODES, SHARDS


def program_id(experiment: Experiment) -> str:
    """Return the identity of the compiled program of an experiment and of its data.

    It depends on the whole experiment, except the learning rate and the seed; if the data depend on
    the seed, it depends on that too.
    """
    optimizer, seed = with_rate(experiment.optimizer, LearningRate(0)), experiment.seed
    problem = experiment.problem.with_data_seed(seed)
    return dataclasses.replace(experiment, problem=problem, optimizer=optimizer, seed=0).id


@dataclasses.dataclass(frozen=True)
class Pack:
    """Runs that are trained together.

    Args:
        experiments: the runs. They may differ only in the learning rate, the seed (not that of the
            data), the group and the kept steps.
        mode: `map` runs them one after the other inside the program; the rows of a run are then
            bitwise the same in every pack. `vmap` runs those of one seed side by side, equal to
            about 1e-6.
        micro_batch: examples per forward and backward pass; None for a whole batch.
        devices: number of devices that share the batches of each run.
        shard: what these devices share: batches only (`data`), or also parameters, gradients and
            optimizer states (`fsdp`). Results are equal up to rounding.
        remat: whether the backward pass computes blocks of the model again, for less memory and
            more time.

    Raises:
        OptexpError: the mode or the shard is unknown, a number is below 1, there are no
            experiments, or they differ in more.
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
                f"The shard '{self.shard}' is not known: choose data or fsdp.",
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
                "A pack holds at least one experiment, and its experiments may differ only in the "
                "learning rate and, if they run one after the other, in the seed.",
                code="not-one-pack",
            )

    @property
    def how(self) -> dict[str, Any]:
        """All fields but the experiments: how the runs train."""
        names = [f.name for f in dataclasses.fields(self) if f.name != "experiments"]
        return {name: getattr(self, name) for name in names}

    @property
    def id(self) -> str:
        """Identity of the pack, from its mode and its experiments in order."""
        members = ",".join(e.id for e in self.experiments)
        return hashlib.sha256(f"{self.mode}:{members}".encode()).hexdigest()[:32]


def group_into_packs(
    experiments: Iterable[Experiment], mode: str = "map", micro_batch: int | None = None
) -> list[Pack]:
    """Group experiments that can share a program into packs, in order of first appearance."""
    by_program: dict[tuple[str, int], list[Experiment]] = {}
    for experiment in experiments:
        by_program.setdefault(_shared(experiment, mode), []).append(experiment)
    return [Pack(tuple(members), mode, micro_batch) for members in by_program.values()]


def by_seed(pack: Pack) -> list[Pack]:
    """Split a pack into packs of one seed each."""
    return _parts(pack, lambda e: e.seed)


def by_rate(pack: Pack) -> list[Pack]:
    """Split a pack into packs of one learning rate each."""
    return _parts(pack, lambda e: e.optimizer)


def _parts(pack: Pack, key: Callable[[Experiment], object]) -> list[Pack]:
    parts: dict[object, list[Experiment]] = {}
    for experiment in pack.experiments:
        parts.setdefault(key(experiment), []).append(experiment)
    return [dataclasses.replace(pack, experiments=tuple(part)) for part in parts.values()]


def _shared(experiment: Experiment, mode: str) -> tuple[str, int]:
    """Return the key that the experiments of a pack share; with `vmap` it includes the seed."""
    return program_id(experiment), experiment.seed if mode == "vmap" else 0
