"""Forecast the memory, FLOPs and time of a run from the shapes of its model and data."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax

from optexp_jax.backend import use_form
from optexp_jax.datasets.data import Data
from optexp_jax.experiment import Experiment
from optexp_jax.schedule import Schedule
from optexp_jax.training.batches import Batch
from optexp_jax.training.flops import counted_by_xla, forward_flops
from optexp_jax.training.gpus import Gpu, share_of_peak
from optexp_jax.training.memory import Memory, estimate, started
from optexp_jax.training.modes import Auto
from optexp_jax.training.pack import Pack
from optexp_jax.training.pack_size import split_to_fit
from optexp_jax.training.program import measured, precision_of

_SHARE = 0.8  # of a device's memory that packs use, as in `pack_size`


@dataclasses.dataclass(frozen=True)
class Forecast:
    """Memory, FLOPs and time of a run.

    Args:
        parameters: number of parameters of the model.
        trained: number of those that are trained.
        batch: examples per step.
        labels: labels per example: the tokens of a text.
        micro_batch: examples per forward and backward pass; None for the whole batch.
        devices: number of devices that share a step.
        memory: estimated memory of one device, in bytes.
        model_flops: FLOPs per step: three times those of the products of the forward pass. If it
            has no products, as with one-hot inputs, which are looked up, those that XLA counts.
        xla_flops: FLOPs per step without the optimizer, as XLA counts them.
        evaluation_flops: FLOPs per row of metrics.
        steps: steps of the run.
        evaluations: number of rows whose metrics need their own forward passes.
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
        """Return the seconds of a step at the assumed utilisation."""
        return self.model_flops / self._rate(gpu, precision)

    def run_seconds(self, gpu: Gpu, precision: str) -> float:
        """Return the seconds of the run at the assumed utilisation, evaluations included."""
        evaluations = self.evaluations * self.evaluation_flops
        return (self.steps * self.model_flops + evaluations) / self._rate(gpu, precision)

    @property
    def evaluation_share(self) -> float:
        """Share of the FLOPs of the run that go into its rows of metrics, from 0 to 1."""
        evaluations = self.evaluations * self.evaluation_flops
        return evaluations / (self.steps * self.model_flops + evaluations)

    def _rate(self, gpu: Gpu, precision: str) -> float:
        return share_of_peak(precision) * gpu.peak(precision) * self.devices


def forecast(
    experiment: Experiment,
    data: Data,
    gpu: Gpu,
    devices: int = 1,
    micro_batch: int | Auto | None = "auto",
    shard: str = "data",
    remat: bool = False,
) -> Forecast:
    """Forecast a run from shapes, without loading data or computing anything.

    Args:
        experiment: the run.
        data: its data, or only its shapes, see `memory.shapes_of`.
        gpu: the GPU; its memory decides the micro-batch.
        devices: number of devices that share each batch.
        micro_batch: examples per forward and backward pass; `auto` for as many as fit into the
            memory of the GPU.
        shard: what the devices share, see `Pack`.
        remat: whether the backward pass computes blocks of the model again.

    Raises:
        OptexpError: not even one example fits.
    """
    whole = Pack((experiment,), devices=devices, shard=shard, remat=remat)
    with use_form("gpu"), precision_of(whole):  # whatever this machine has
        (pack,) = split_to_fit(whole, data, 1, micro_batch, int(_SHARE * gpu.memory))
        return _forecast(pack, data)


def _forecast(pack: Pack, data: Data) -> Forecast:
    """Forecast the run of a pack, in whose precision JAX computes already."""
    (experiment,) = pack.experiments
    stepper, state, block = started(pack, data)
    one = _one_of(block)
    schedule = Schedule.of(experiment, len(data.train))
    counted = counted_by_xla(stepper, state, one)
    forward = forward_flops(stepper, state, one) or counted / 3
    # For full batches of models without modes, the pass of the gradient gives the metrics.
    passes = 0 if stepper.shares_forward else len(schedule.recorded(0, schedule.total)) + 1
    sizes = {name: sum(x.size for x in jax.tree.leaves(getattr(state, name))) for name in _PARTS}
    return Forecast(
        parameters=sum(sizes.values()),
        trained=sizes["params"],
        batch=stepper.batch_size,
        labels=int(one.labels.size),
        micro_batch=pack.micro_batch,
        devices=pack.devices,
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
    """Return the model FLOPs of a step of one run of a pack."""
    stepper, state, block = started(pack, data)
    with precision_of(pack):
        return 3 * forward_flops(stepper, state, _one_of(block)) * stepper.batch_size


def _one_of(block: Batch) -> Batch:
    """Return the shapes of one example."""
    inputs: Any = jax.ShapeDtypeStruct((1, *block.inputs.shape[1:]), block.inputs.dtype)
    labels: Any = jax.ShapeDtypeStruct((1, *block.labels.shape[1:]), block.labels.dtype)
    return Batch(inputs, labels, 1)
