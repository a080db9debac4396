"""Programs with data on the devices: one call takes many steps of many runs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.datasets.data import Data
from optexp_jax.training.batches import Batch, to_batch
from optexp_jax.training.devices import fetch
from optexp_jax.training.pack import Pack
from optexp_jax.training.program import (
    Program,
    Slots,
    block_size,
    is_by_class,
    measured,
    precision_of,
)
from optexp_jax.training.step import DeviceData, Row, RunState, Stepper, without_gradient


class ResidentProgram(Program):
    """A pack and its data on the devices.

    The number of steps is an argument of the compiled program. So chunks of any length run the same
    instructions, and the results do not depend on the length in any bit.
    """

    def __init__(self, pack: Pack, data: Data) -> None:
        with precision_of(pack):
            examples = _examples(pack, data)
            inputs = examples.train.inputs
            super().__init__(pack, data, jax.ShapeDtypeStruct((1, *inputs.shape[1:]), inputs.dtype))
            self.data = self._copy(examples)
            self._shape = jax.eval_shape(
                self.stepper.evaluate, jax.eval_shape(self._first), examples
            )
            self._set_capacities(self._shape)
            self._chunk = self._compiled(self._chunk_of_runs, 2, 6, donate=0)

    def chunk(self, states: RunState, slots: Slots) -> tuple[RunState, Row]:
        """Take one step for each slot, in one call; the rows stay on the devices."""
        return self._steps(states, slots, keep=True)

    def evaluate(self, states: RunState) -> tuple[RunState, Row]:
        """Evaluate all runs at their parameters, also diverged ones; rows stay on the devices."""
        alive, first = fetch(states.alive), np.zeros(1, np.int32)
        awake = states._replace(alive=self._spread(np.ones_like(alive)))
        # A chunk with a step that is not taken: a second program takes as long to compile.
        states, rows = self._steps(awake, Slots(first, first), keep=False)
        with precision_of(self.pack):
            rows = without_gradient(rows)
        return states._replace(alive=self._spread(alive)), rows

    def _steps(self, states: RunState, slots: Slots, keep: bool) -> tuple[RunState, Row]:
        number = len(slots.rows)
        with precision_of(self.pack):
            rows, class_rows = (
                np.pad(s.astype(np.int32), (0, self.most_steps - number))
                for s in (slots.rows, slots.class_rows)
            )
            counts = (self._runs, np.int32(number), np.bool_(keep))
            seeds = self._spread(self._seeds)
            return self._chunk(states, seeds, *counts, rows, class_rows, self.data)

    def _chunk_of_runs(
        self,
        states: RunState,
        seeds: Any,
        runs: Any,
        number: Any,
        keep: Any,
        rows: Any,
        class_rows: Any,
        data: DeviceData,
    ) -> tuple[RunState, Row]:
        def one(stepper: Stepper, part: tuple[RunState, Row]) -> tuple[RunState, Row]:
            return self._chunk_of_run(stepper, *part, number, keep, (rows, class_rows), data)

        carry = (states, self._buffers(len(states.step)))
        return self._over_seeded_runs(one, runs, carry, seeds)

    def _chunk_of_run(
        self,
        stepper: Stepper,
        state: RunState,
        rows: Row,
        number: Any,
        keep: Any,
        slots: tuple[Any, Any],
        data: DeviceData,
    ) -> tuple[RunState, Row]:
        row_slots, class_slots = slots

        def going(carry: Any) -> Any:
            i, state, _, _ = carry
            return (i < number) & state.alive

        def body(carry: Any) -> Any:
            i, state, order, rows = carry
            record = row_slots[i] < self.row_capacity
            state, order, row = stepper.step(state, data, order, record, keep)
            return i + 1, state, order, write(rows, row, row_slots[i], class_slots[i])

        start = (jnp.int32(0), state, stepper.order(state.step), rows)
        _, state, _, rows = jax.lax.while_loop(going, body, start)
        return state, rows

    def _buffers(self, runs: int) -> Row:
        """Return zero buffers for the rows of some runs, leaves `[runs, rows, ...]`."""

        def buffer(path: Any, leaf: Any) -> jax.Array:
            return jnp.zeros((runs, self._capacity(path), *leaf.shape), leaf.dtype)

        return jax.tree_util.tree_map_with_path(buffer, self._shape)


def _examples(pack: Pack, data: Data) -> DeviceData:
    """Return the data that training and metrics use, as batches."""
    train, validation = measured(pack, data)
    size, precision = block_size(pack, data), pack.experiments[0].problem.precision
    dtype = jnp.float64 if precision == "float64" else jnp.float32

    def batch(split: Any) -> Batch:
        return to_batch(split, size, dtype)

    return DeviceData(
        train=batch(data.train),
        validation=None if validation is None else batch(validation),
        evaluation=None if train is data.train else batch(train),
    )


def write(rows: Row, row: Row, row_slot: Any, class_slot: Any) -> Row:
    """Write a row into its slots of the buffers; slots past the end are ignored."""

    def put(path: Any, buffer: jax.Array, new: jax.Array) -> jax.Array:
        slot = class_slot if is_by_class(path) else row_slot
        return buffer.at[slot].set(new.astype(buffer.dtype), mode="drop")

    return jax.tree_util.tree_map_with_path(put, rows, row)
