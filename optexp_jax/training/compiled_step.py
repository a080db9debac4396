"""The memory of a full-size step, as the compiler reports it, from shapes alone."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import jax

from optexp_jax.datasets.data import Data
from optexp_jax.training import devices
from optexp_jax.training.batches import Batch
from optexp_jax.training.compiler import compiler_options
from optexp_jax.training.memory import started
from optexp_jax.training.pack import Pack
from optexp_jax.training.program import precision_of
from optexp_jax.training.sharding import axes_of, spec_of

# Memory is fixed before machine code is generated, which takes most of the time for GPT-2.
_QUICKLY = {"xla_backend_optimization_level": "0", "xla_llvm_disable_expensive_passes": "True"}


@dataclasses.dataclass(frozen=True)
class CompiledStep:
    """Memory of a step on each device, as the compiler reports it.

    Args:
        arguments: bytes of the state before the step and of the examples of the step.
        results: bytes of the state after the step that do not reuse memory of the arguments.
        temporary: bytes of all intermediate arrays.
        seconds: compile time.
    """

    arguments: int
    results: int
    temporary: int
    seconds: float

    @property
    def total(self) -> int:
        """All bytes on one device."""
        return self.arguments + self.results + self.temporary


def compiled_step(pack: Pack, data: Data) -> CompiledStep:
    """Compile a step of the first run of a pack, for the devices of a run.

    The numbers hold for the backend of this machine: compilers for GPUs keep other temporary
    arrays than those for CPUs.

    Args:
        pack: the runs and how they train.
        data: their data, or only its shapes (`jax.ShapeDtypeStruct`).

    Raises:
        OptexpError: this machine has too few devices.
    """
    began = time.monotonic()
    lowered = lowered_step(pack, data)
    options = (compiler_options() or {}) | _QUICKLY
    found: Any = lowered.compile(options).memory_analysis()
    return CompiledStep(
        arguments=found.argument_size_in_bytes,
        results=found.output_size_in_bytes - found.alias_size_in_bytes,
        temporary=found.temp_size_in_bytes,
        seconds=time.monotonic() - began,
    )


def lowered_step(pack: Pack, data: Data) -> Any:
    """Return the step of `compiled_step` before it is compiled."""
    stepper, state, block = started(pack, data)
    axes: dict[str, int] = {}
    if pack.shard == "fsdp":
        axes = axes_of(state.params | state.frozen, pack.devices)
    objective = dataclasses.replace(stepper.objective, devices=pack.devices, axes=axes)
    stepper = dataclasses.replace(stepper, objective=objective)
    mesh = devices.mesh_of(pack.devices, devices.used()[: pack.devices])
    size, parts = stepper.batch_size, pack.devices if axes else 1

    def shaped(shape: tuple[int, ...], dtype: Any, spec: jax.P) -> Any:
        return jax.ShapeDtypeStruct(shape, dtype, sharding=jax.NamedSharding(mesh, spec))

    def examples(leaf: Any) -> Any:
        return shaped((size, *leaf.shape[1:]), leaf.dtype, jax.P())

    states = jax.tree.map(lambda x: shaped(x.shape, x.dtype, spec_of(x.shape, parts)), state)
    micro_batch = stepper.micro_batch or size
    batch = Batch(examples(block.inputs), examples(block.labels), micro_batch)
    step: Any = stepper.advance
    if not axes:
        step = jax.shard_map(step, mesh=mesh, in_specs=jax.P(), out_specs=jax.P(), check_vma=False)
    with precision_of(pack), jax.set_mesh(mesh):
        return jax.jit(step, donate_argnums=0).lower(states, batch)
