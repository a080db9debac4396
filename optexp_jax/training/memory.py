"""Estimate the memory of a pack from shapes alone, without compilation or data.

A pack holds its data once, and the parameters and optimizer states of all its runs. A step of one
run needs memory for its old and new state, its gradient, the residuals (what the forward pass keeps
for the backward pass), and the gradient of the largest residual. Peaks measured on a CPU were
0.34 to 0.9 of the estimate, for shapes of 0.1 to 15 GB. For a CNN of 2 GB they were 1.2 of it:
they include the memory of the compiler. On an H200 they were 0.4 to 0.75 of it for GPTs,
transformers, ViT and ResNet-18, and 0.95 for a CNN of 7 GB.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal
from jax.extend.core.primitives import reshape_p

from optexp_jax.datasets import base
from optexp_jax.datasets.data import Data, Split
from optexp_jax.experiment import Experiment
from optexp_jax.optim import holds_rate
from optexp_jax.targets import are_vectors
from optexp_jax.training.batches import Batch
from optexp_jax.training.flops import has_convolutions
from optexp_jax.training.objective import Draw
from optexp_jax.training.pack import Pack
from optexp_jax.training.program import measured, precision_of
from optexp_jax.training.remat import bytes_of_blocks
from optexp_jax.training.sharding import bytes_on_one
from optexp_jax.training.step import RunState, Stepper, make_stepper

# Most bytes of rows on the device until the end of a chunk (see `program`), and of their copies.
_ROWS = 64 * 2**20
# While cuDNN tries algorithms for a convolution, it takes several times the memory of its results:
# 5.2 times for a CNN on an H200. XLA tries none that takes more than 4 GiB.
_WORKSPACE, _MOST_WORKSPACE = 6, 4 * 2**30


@dataclasses.dataclass(frozen=True)
class Memory:
    """Memory on one device, in bytes.

    Args:
        data: inputs and labels.
        runs: parameters and optimizer states of all runs.
        step: what a step needs beside these.
    """

    data: int
    runs: int
    step: int

    @property
    def total(self) -> int:
        """All bytes."""
        return self.data + self.runs + self.step


def has_batch_statistics(pack: Pack, data: Data) -> bool:
    """Return whether the model of a pack keeps batch statistics."""
    return bool(jax.tree.leaves(started(pack, data)[1].model_state))


def holds_rate_of(pack: Pack, data: Data) -> bool:
    """Return whether the learning rate is part of the optimizer state, not of the program."""
    return holds_rate(started(pack, data)[1].opt_state)


def started(pack: Pack, data: Data) -> tuple[Stepper, RunState, Any]:
    """Return the stepper of a pack, and the shapes of a state and of a block of examples."""
    with precision_of(pack):
        stepper = make_stepper(pack.experiments[0], data, pack.micro_batch, pack.remat)
        block = _block(stepper, data, pack.devices)
        example = jax.ShapeDtypeStruct((1, *block.inputs.shape[1:]), block.inputs.dtype)
        return stepper, jax.eval_shape(stepper.init, example), block


def estimate(pack: Pack, data: Data) -> Memory:
    """Estimate the memory of a pack on one device.

    Args:
        pack: the runs, their mode and micro-batch.
        data: their data, or only its shapes (`jax.ShapeDtypeStruct` as inputs and labels).

    Returns:
        bytes of the data, of the states, and of a step.

    Raises:
        OptexpError: the model cannot train with this micro-batch.

    >>> from optexp_jax.datasets import RandomHeavyTailedLabels
    >>> from optexp_jax.losses import CrossEntropy
    >>> from optexp_jax.models import Linear
    >>> from optexp_jax.optim import SGD
    >>> from optexp_jax.problem import Problem
    >>> dataset = RandomHeavyTailedLabels(11)
    >>> model = Linear(dataset.num_inputs, dataset.num_classes)
    >>> run = Experiment(Problem(model, dataset, CrossEntropy()), SGD("10^-2"), "demo", steps=1)
    >>> memory = estimate(Pack((run,)), shapes_of(run))
    >>> round(memory.data / 1e9, 1), round(memory.runs / 1e9, 1)
    (2.2, 0.2)
    """
    with precision_of(pack):
        return _estimate(pack, data)


def _estimate(pack: Pack, data: Data) -> Memory:
    """Estimate the memory of a pack, in whose precision JAX computes already."""
    stepper, state, block = started(pack, data)
    stepper.check_parts(state, pack.devices)
    shared = pack.devices if pack.shard == "fsdp" else 1
    params, on_one = _bytes(state.params), _bytes(state.params, shared)
    kept, largest = _residual_bytes(stepper, state, block)
    tile = stepper.objective.tile_bytes(block.labels)  # exists in the backward pass only
    kept, largest = kept + tile, max(largest, tile)
    several = len(block.labels) < stepper.batch_size
    together = len(pack.experiments) if pack.mode == "vmap" else 1
    # The sum of gradients, the update, and the gradient of a micro-batch.
    gradients = (1 + several) * on_one + params
    # Whole parameters, which a device gathers for a block of examples.
    gathered = _bytes((state.params, state.frozen)) if shared > 1 else 0
    step = 2 * _bytes(state, shared) + gathered + gradients + kept + 2 * largest
    if has_convolutions(stepper, state, block):
        step += min(_WORKSPACE * largest, _MOST_WORKSPACE)
    return Memory(
        data=_on_device(pack, data),
        runs=len(pack.experiments) * _bytes(state, shared),
        step=together * step + _ROWS,
    )


def shapes_of(experiment: Experiment) -> Data:
    """Return the shapes of the data of an experiment, without loading it.

    Raises:
        OptexpError: the size of the data set depends on its files, or it is not held in memory.
    """
    return base.shapes_of(experiment.problem.dataset)


def _block(stepper: Stepper, data: Data, devices: int) -> Any:
    """Return the shapes of the examples of one forward pass."""
    size = min(stepper.micro_batch or stepper.batch_size, -(-stepper.batch_size // devices))
    train: Any = data.train
    if isinstance(train, Split):
        inputs, labels = train.inputs, train.labels
        dtype = jnp.result_type(float) if inputs.dtype.kind == "f" else inputs.dtype
    else:
        inputs = jax.ShapeDtypeStruct((len(train), *train.example_shape), jnp.uint8)
        labels, dtype = train.labels, jnp.uint8
    block: Any = jax.ShapeDtypeStruct((size, *inputs.shape[1:]), dtype)
    kind = jnp.result_type(float) if are_vectors(labels) else jnp.int32
    targets: Any = jax.ShapeDtypeStruct((size, *labels.shape[1:]), kind)
    return Batch(block, targets, size)


def _residual_bytes(stepper: Stepper, state: Any, block: Any) -> tuple[int, int]:
    """Return the bytes of all residuals of the forward pass, and those of the largest one.

    Blocks that the backward pass computes again keep their residuals one at a time.
    """

    def value(*where: Any) -> Any:
        draw = Draw(jax.random.key(0))
        return stepper.objective.block_value(*where, draw=draw, train=True, with_metrics=False)

    def backward(params: Any, *where: Any) -> Any:
        return jax.vjp(lambda p: value(p, *where), params, has_aux=True)[1]

    where = (state.params, state.frozen, state.model_state, block)
    residuals = _distinct(jax.make_jaxpr(backward)(*where).jaxpr)
    known = [leaf.shape for leaf in jax.tree.leaves((state.params, state.frozen, block))]
    new = [leaf for leaf in residuals if leaf.shape not in known]
    sizes = [_bytes(leaf) for leaf in new]
    return sum(sizes) + bytes_of_blocks(value, *where), max(sizes, default=0)


def _distinct(jaxpr: Any) -> list[Any]:
    """Return the shapes of the results of a jaxpr; an array and its reshaped form are one."""
    before = {e.outvars[0]: e.invars[0] for e in jaxpr.eqns if e.primitive is reshape_p}
    found = {}
    for result in jaxpr.outvars:
        origin = result
        while not isinstance(origin, Literal) and origin in before:
            origin = before[origin]
        found[id(origin)] = origin.aval
    return list(found.values())


def _on_device(pack: Pack, data: Data) -> int:
    """Return the bytes of the data on the device; for streamed data, those of two batches."""
    if not isinstance(data.train, Split):
        block: Any = data.train
        size = pack.experiments[0].problem.batching.batch_size(len(block))
        return 2 * min(size, len(block)) * int(np.prod(block.example_shape))
    parts = {id(part): part for part in (data.train, *measured(pack, data)) if part is not None}
    return sum(_bytes((part.inputs, part.labels)) for part in parts.values())


def _bytes(tree: Any, devices: int = 1) -> int:
    """Return the bytes of a tree on one of the devices that share it."""
    return sum(
        bytes_on_one(leaf.shape, leaf.dtype, devices)
        for leaf in jax.tree.leaves(tree)
        if not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    )
