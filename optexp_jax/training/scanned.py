"""The resident program for GPUs: scans of fixed length without conditions inside.

A GPU runs a scan without waiting for the host. So the host cuts a chunk of steps into pieces that
need no condition: either all steps of a piece record a row or none does, they are in one epoch, and
the length of a piece is one of a few. Diverged runs take steps whose results are discarded.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from optexp_jax.datasets.data import Data
from optexp_jax.training.devices import fetch
from optexp_jax.training.pack import Pack
from optexp_jax.training.program import Slots, is_by_class, precision_of
from optexp_jax.training.resident import ResidentProgram, write
from optexp_jax.training.step import DeviceData, Row, RunState, Stepper

# Longest first. Each length is a program to compile, which pays off from `_WORTH` pieces on.
LENGTHS = (256, 16, 1)
_WORTH = 4
# In epochs of fewer steps, every step draws the order again; else each epoch would be a piece.
_SHORT_EPOCH = 16


@dataclasses.dataclass(frozen=True)
class Piece:
    """Consecutive steps that one call of a compiled program takes.

    Args:
        start: first step, counted from the start of the chunk.
        length: number of steps.
        record: whether the steps record rows.
        last: whether this is the last step of an epoch, with a smaller batch.
    """

    start: int
    length: int
    record: bool
    last: bool


class ScannedProgram(ResidentProgram):
    """A pack and its data on the devices, with steps in scans of fixed length."""

    def __init__(self, pack: Pack, data: Data) -> None:
        super().__init__(pack, data)
        with precision_of(pack):
            self._short = self.stepper.last_batch_size(jax.eval_shape(self._first))
        self._pieces = functools.cache(self._compiled_piece)
        self._filled = functools.cache(self._compiled_filled)
        self._orders = self._compiled(self._orders_of_runs, 2, 0, donate=())
        self._rows = self._compiled(lambda steps: self._buffers(len(steps)), 1, 0, donate=())

    def _steps(self, states: RunState, slots: Slots, keep: bool) -> tuple[RunState, Row]:
        with precision_of(self.pack):
            step, seeds = int(fetch(states.step).max()), self._spread(self._seeds)
            rows, orders, epoch = self._rows(states.step), None, -1
            for piece in self._cut(step, slots):
                now = (step + piece.start) // self._epoch
                if orders is None or now != epoch:
                    orders, epoch = self._orders(states.step, seeds), now
                part = slice(piece.start, piece.start + piece.length)
                states, rows = self._pieces(piece.length, piece.record, piece.last)(
                    (states, rows),
                    orders,
                    seeds,
                    self._runs,
                    np.bool_(keep),
                    slots.rows[part].astype(np.int32),
                    slots.class_rows[part].astype(np.int32),
                    self.data,
                )
            return states, self._filled(_rows_of_classes(slots, self.class_capacity))(rows)

    @property
    def _epoch(self) -> int:
        """Steps that share an order; more than a run has if steps draw the order themselves."""
        shuffled = self.stepper.batching.shuffle
        return 2**31 if not shuffled or self._draws_order else self.stepper.steps_per_epoch

    @property
    def _draws_order(self) -> bool:
        return self.stepper.steps_per_epoch < _SHORT_EPOCH

    def _cut(self, step: int, slots: Slots) -> Iterator[Piece]:
        """Yield the pieces of a chunk that starts at a step."""
        number = len(slots.rows)
        record = self._recorded(slots)
        last = np.zeros(number, bool)
        if self._short:
            last = (np.arange(step, step + number) + 1) % self.stepper.steps_per_epoch == 0
        epoch = np.arange(step, step + number) // self._epoch
        kind = np.stack([record, last, epoch], axis=1)
        ends = np.flatnonzero((kind[1:] != kind[:-1]).any(axis=1)) + 1
        lengths = [n for n in LENGTHS if n == 1 or number >= _WORTH * n]
        start = 0
        for end in (*map(int, ends), number):
            while start < end:
                length = next(n for n in lengths if n <= end - start)
                yield Piece(start, length, bool(record[start]), bool(last[start]))
                start += length

    def _recorded(self, slots: Slots) -> np.ndarray:
        """Return whether each step records a row; all do if a row costs no further pass."""
        free = self.stepper.shares_forward and self.data.validation is None
        wanted = np.asarray(slots.rows) < self.row_capacity
        return np.ones_like(wanted) if free else wanted

    # -- what is compiled -----------------------------------------------------------------------

    def _compiled_piece(self, length: int, record: bool, last: bool) -> Any:
        """Compile the program of one kind of piece."""
        piece = functools.partial(self._piece_of_runs, length, record, last)
        return self._compiled(piece, 3, 5, donate=0)

    def _compiled_filled(self, count: int) -> Any:
        """Compile what keeps the first rows by class: the host copies no empty ones."""

        def part(path: Any, leaf: jax.Array) -> jax.Array:
            return leaf[:, :count] if is_by_class(path) else leaf

        first = functools.partial(jax.tree_util.tree_map_with_path, part)
        return self._compiled(first, 1, 0, donate=())

    def _orders_of_runs(self, steps: Any, seeds: Any) -> Any:
        """Return the order of the examples in the epoch of each run, `[runs, num_examples]`."""
        return jax.vmap(lambda step, seed: self._seeded(seed).order(step))(steps, seeds)

    def _piece_of_runs(
        self,
        length: int,
        record: bool,
        last: bool,
        carry: tuple[RunState, Row],
        orders: Any,
        seeds: Any,
        runs: Any,
        keep: Any,
        rows: Any,
        class_rows: Any,
        data: DeviceData,
    ) -> tuple[RunState, Row]:
        def one(stepper: Stepper, part: tuple[RunState, Row], order: Any) -> tuple[RunState, Row]:
            def body(carry: tuple[RunState, Row], slots: Any) -> tuple[tuple[RunState, Row], None]:
                state, buffers = carry
                now = stepper.order(state.step) if self._draws_order else order
                alive = state.alive
                new, row = stepper.step_in_order(state, data, now, record, keep & alive, last)
                new = new._replace(alive=new.alive & alive)
                return (new, write(buffers, row, *slots) if record else buffers), None

            return jax.lax.scan(body, part, (rows, class_rows), length=length)[0]

        return self._over_seeded_runs(one, runs, carry, seeds, orders)


def _rows_of_classes(slots: Slots, capacity: int) -> int:
    """Return a power of two that is at least the number of rows by class; at most the capacity."""
    count = int((np.asarray(slots.class_rows) < capacity).sum())
    return min(capacity, 1 << max(count - 1, 0).bit_length())
