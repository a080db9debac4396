"""What a run takes, before it runs: from the shapes of its model and data alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax

from optexp_jax.datasets.data import Data
from optexp_jax.experiment import Experiment
from optexp_jax.schedule import Schedule
from optexp_jax.training.batches import Batch
from optexp_jax.training.flops import counted_by_xla, forward_flops
from optexp_jax.training.gpus import UTILISATION, Gpu
from optexp_jax.training.memory import Memory, estimate, started
from optexp_jax.training.pack import Pack
from optexp_jax.training.pack_size import Auto, split_to_fit
from optexp_jax.training.program import measured, precision_of

_SHARE = 0.8  # of a device's memory that packs use, as on a device that is there


@dataclasses.dataclass(frozen=True)
class Forecast:
    """What a run takes.

    Args:
        parameters: numbers in the model.
        trained: those that are trained.
        batch: examples of a step.
        labels: of an example; tokens of a text.
        micro_batch: examples of a pass; None for the whole batch.
        devices: that share a step.
        memory: of a device, estimated.
        model_flops: of a step: three times the products of the forward pass; as XLA counts where
            there are none, as for one-hot inputs, whose products are lookups.
        xla_flops: of a step without the optimizer, as XLA counts them.
        evaluation_flops: of one row of metrics.
        steps: of the run.
        evaluations: rows whose metrics take passes of their own.
        pack: the run and how it trains, with the micro-batch that fits.
    """

    parameters: int
    trained: int
    batch: int
    labels: int
    micro_batch: int | None
    devices: int
    memory: Memory
    model_flops: float
    xla_flops: float
    evaluation_flops: float
    steps: int
    evaluations: int
    pack: Pack

    def step_seconds(self, gpu: Gpu, precision: str) -> float:
        """Seconds of a step, at the assumed utilisation."""
        return self.model_flops / self._rate(gpu, precision)

    def run_seconds(self, gpu: Gpu, precision: str) -> float:
        """Seconds of the whole run, evaluations included, at the assumed utilisation."""
        evaluations = self.evaluations * self.evaluation_flops
        return (self.steps * self.model_flops + evaluations) / self._rate(gpu, precision)

    @property
    def evaluation_share(self) -> float:
        """Share of the FLOPs of the run that its rows of metrics take."""
        evaluations = self.evaluations * self.evaluation_flops
        return evaluations / (self.steps * self.model_flops + evaluations)

    def _rate(self, gpu: Gpu, precision: str) -> float:
        return UTILISATION * gpu.peak(precision) * self.devices


def forecast(
    experiment: Experiment,
    data: Data,
    gpu: Gpu,
    devices: int = 1,
    micro_batch: int | Auto | None = "auto",
    shard: str = "data",
    remat: bool = False,
) -> Forecast:
    """Say what a run takes; nothing is computed, nothing is loaded.

    Args:
        experiment: the run.
        data: its data; shapes will do, as `memory.shapes_of` gives them.
        gpu: whose memory decides the micro-batch.
        devices: that share each batch.
        micro_batch: examples of a pass; `auto` for as many as fit into the memory of the GPU.
        shard: what the devices share, see `Pack`.
        remat: whether blocks are computed again in the backward pass.

    Raises:
        OptexpError: not even one example fits.
    """
    whole = Pack((experiment,), devices=devices, shard=shard, remat=remat)
    (pack,) = split_to_fit(whole, data, 1, micro_batch, int(_SHARE * gpu.memory))
    stepper, state, block = started(pack, data)
    one = _one_of(block)
    schedule = Schedule.of(experiment, len(data.train))
    with precision_of(pack):
        counted = counted_by_xla(stepper, state, one)
        forward = forward_flops(stepper, state, one) or counted / 3
    # Full batches of models without modes are measured by the pass of the gradient.
    passes = 0 if stepper.shares_forward else len(schedule.recorded(0, schedule.total)) + 1
    sizes = {name: sum(x.size for x in jax.tree.leaves(getattr(state, name))) for name in _PARTS}
    return Forecast(
        parameters=sum(sizes.values()),
        trained=sizes["params"],
        batch=stepper.batch_size,
        labels=int(one.labels.size),
        micro_batch=pack.micro_batch,
        devices=devices,
        memory=estimate(pack, data),
        model_flops=3 * forward * stepper.batch_size,
        xla_flops=counted * stepper.batch_size,
        evaluation_flops=forward * sum(len(p) for p in measured(pack, data) if p is not None),
        steps=schedule.total,
        evaluations=passes,
        pack=pack,
    )


_PARTS = ("params", "frozen")


def step_flops(pack: Pack, data: Data) -> float:
    """Model FLOPs of a step of one run of a pack."""
    stepper, state, block = started(pack, data)
    with precision_of(pack):
        return 3 * forward_flops(stepper, state, _one_of(block)) * stepper.batch_size


def _one_of(block: Batch) -> Batch:
    """The shapes of one example."""
    inputs: Any = jax.ShapeDtypeStruct((1, *block.inputs.shape[1:]), block.inputs.dtype)
    labels: Any = jax.ShapeDtypeStruct((1, *block.labels.shape[1:]), block.labels.dtype)
    return Batch(inputs, labels, 1)
