"""Programs that read examples from files: one call for each step of all runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.datasets.data import Data, Streamed
from optexp_jax.datasets.decoding import AHEAD, Decoded, Wanted, decoded, in_order
from optexp_jax.errors import OptexpError
from optexp_jax.training import metrics
from optexp_jax.training.batches import Batch
from optexp_jax.training.branches import guarded
from optexp_jax.training.devices import fetch
from optexp_jax.training.metrics import Sums
from optexp_jax.training.pack import Pack, by_seed
from optexp_jax.training.program import (
    Program,
    Slots,
    block_size,
    is_by_class,
    measured,
    precision_of,
    zeros_like,
)
from optexp_jax.training.run_control import NEVER_STOP, RunControl
from optexp_jax.training.step import Row, RunState, Stepper, leaf_norms, without_gradient

_MOST_BYTES = 32 * 2**30
# Examples per block when metrics are measured, for full batches without a micro-batch.
_MEASURED = 256


class StreamedProgram(Program):
    """A pack whose runs share every decoded batch.

    Metrics are measured in evaluation mode on examples without augmentation.

    Args:
        pack: the runs and how they train.
        data: the data of their problem.
        control: checked after every batch of an evaluation.

    Raises:
        OptexpError: the runs differ in their seed, or decoded batches need too much memory.
    """

    def __init__(self, pack: Pack, data: Data, control: RunControl = NEVER_STOP) -> None:
        self._control = control
        self._train: Any = data.train
        batching, examples = pack.experiments[0].problem.batching, len(self._train)
        self._size = min(batching.batch_size(examples), examples)
        _require_room(self._train, self._size)
        if len(by_seed(pack)) > 1:
            raise OptexpError(
                "Runs on images that are read from files can share a pack only if they have the "
                "same seed.",
                code="streamed-pack-not-by-seed",
            )
        shape = (1, *self._train.example_shape)
        super().__init__(pack, data, jax.ShapeDtypeStruct(shape, np.uint8))
        self._block = min(block_size(pack, data) or _MEASURED, examples)
        train, validation = measured(pack, data)
        self._measured = {"tr": train} | ({} if validation is None else {"va": validation})
        self._batches: Decoded | None = None
        with precision_of(pack):
            self._shape = self._shape_of_row()
            self._set_capacities(self._shape)
            self._advance = self._compiled(self._advance_runs, 2, 2, donate=0)
            self._measure = self._compiled(self._measure_runs, 2, 2, donate=0)
            self._sizes = self._compiled(self._sizes_of_runs, 1, 1, donate=())

    def chunk(self, states: RunState, slots: Slots) -> tuple[RunState, Row]:
        """Take one step for each slot, one by one; the rows are on the host."""
        if self._batches is None:
            first = int(np.max(fetch(states.step)))
            self._batches = decoded(self._train, self._wanted(first), self._size)
        rows: list[Row] = []
        norms = None
        with precision_of(self.pack):
            seeds = self._spread(self._seeds)
            for slot in slots.rows:
                recorded = slot < self.row_capacity
                row = self._row(states) if recorded else {}
                batch = self._next(self._batches, states)
                jax.block_until_ready(
                    norms
                )  # at most one batch waits on the devices, not a whole chunk
                states, norms = self._advance(states, seeds, self._runs, batch)
                if recorded:
                    rows.append(row | {"grad_norms": fetch(norms)})
        by_class = slots.class_rows[slots.rows < self.row_capacity] < self.class_capacity
        return states, self._stacked(rows, by_class)

    def evaluate(self, states: RunState) -> tuple[RunState, Row]:
        """Evaluate all runs at their parameters; the rows are on the host."""
        with precision_of(self.pack):
            return states, self._stacked([without_gradient(self._row(states))], np.array([True]))

    def close(self) -> None:
        """Stop the threads that decode images."""
        if self._batches is not None:
            self._batches.close()

    # -- batches --------------------------------------------------------------------------------

    def _wanted(self, step: int) -> Iterator[Wanted]:
        """Yield the indices of the batches from a step on, without end."""
        stepper, examples = self.stepper, len(self._train)
        per_epoch = stepper.steps_per_epoch
        order, known = np.arange(examples), None
        while True:
            epoch, index = divmod(step, per_epoch)
            if not stepper.batching.is_full and epoch != known:
                order, known = np.asarray(stepper.order(jnp.int32(step))), epoch
            indices = order[index * self._size : (index + 1) * self._size]
            yield Wanted(indices, (self.pack.experiments[0].seed, epoch))
            step += 1

    def _next(self, batches: Decoded, states: RunState) -> Batch:
        """Return the next batch, padded unless the model has batch statistics."""
        inputs, labels = next(batches)
        short = self.stepper.last_batch_size(states)
        if short and (labels < 0).any():
            inputs, labels = inputs[:short], labels[:short]
        return self._to_devices(inputs, labels, self.pack.micro_batch or self._size)

    def _to_devices(self, inputs: np.ndarray, labels: np.ndarray, size: int) -> Batch:
        placed, placed_labels = self._copy((inputs, labels))
        return Batch(placed, placed_labels, min(size, len(labels)))

    def _advance_runs(
        self, states: RunState, seeds: Any, runs: Any, batch: Batch
    ) -> tuple[RunState, Any]:
        def one(stepper: Stepper, part: tuple[RunState, Any]) -> tuple[RunState, Any]:
            def advance() -> tuple[RunState, Any]:
                new, norms = stepper.advance(part[0], batch)
                return new, norms

            return guarded(part[0].alive, advance, part)

        norms = zeros_like(jax.eval_shape(jax.vmap(leaf_norms), states.params))
        return self._over_seeded_runs(one, runs, (states, norms), seeds)

    # -- metrics --------------------------------------------------------------------------------

    def _row(self, states: RunState) -> Row:
        """Return a row of every run on the host, leaves `[runs, ...]`."""
        sums = {name: self._sums_over(split, states) for name, split in self._measured.items()}
        return fetch(sums | self._sizes(states, self._runs))

    def _sums_over(self, split: Streamed, states: RunState) -> Sums:
        totals = self._spread(
            jax.tree.map(
                lambda leaf: np.zeros((self.padded, *leaf.shape), leaf.dtype),
                (self._shape["tr"],) * 2,
            )
        )
        with contextlib.closing(
            decoded(split, in_order(len(split), self._block), self._block)
        ) as batches:
            for inputs, labels in batches:
                batch = self._to_devices(inputs, labels, self._block)
                totals = self._measure(totals, states, self._runs, batch)
                self._control.check()
        return totals[0]

    def _stacked(self, rows: list[Row], by_class: np.ndarray) -> Row:
        """Stack rows on the second axis; keep per-class arrays of some rows only."""

        def stack(path: Any, shape: Any, *leaves: np.ndarray) -> np.ndarray:
            kept = by_class if is_by_class(path) else np.full(len(rows), True)
            chosen = [leaf[:, None] for leaf, keep in zip(leaves, kept, strict=True) if keep]
            none = np.empty((self.padded, 0, *shape.shape), shape.dtype)
            return np.concatenate([none, *chosen], axis=1)

        return jax.tree_util.tree_map_with_path(stack, self._shape, *rows)

    def _sizes_of_runs(self, states: RunState, runs: Any) -> Row:
        zeros = zeros_like(jax.eval_shape(jax.vmap(self.stepper.size_of), states))
        return self._over_runs(lambda _, state: self.stepper.size_of(state), runs, zeros, states)

    def _measure_runs(self, totals: Any, states: RunState, runs: Any, batch: Batch) -> Any:
        def one(total: Any, state: RunState) -> Any:
            return metrics.add(total, self._seeded(0).measure(state, batch))

        return self._over_runs(one, runs, totals, states)

    def _shape_of_row(self) -> Row:
        """Return the shapes of a row of one run."""
        inputs: Any = jax.ShapeDtypeStruct((self._block, *self._train.example_shape), np.uint8)
        labels: Any = jax.ShapeDtypeStruct((self._block,), np.int32)

        def row(state: RunState, batch: Batch) -> Row:
            sums = {name: self.stepper.measure(state, batch) for name in self._measured}
            return without_gradient(sums | self.stepper.size_of(state))

        return jax.eval_shape(row, jax.eval_shape(self._first), Batch(inputs, labels, self._block))


def _require_room(split: Streamed, size: int) -> None:
    needed = (AHEAD + 2) * size * int(np.prod(split.example_shape))
    if needed > _MOST_BYTES:
        raise OptexpError(
            f"Batches of {size:,} images need {needed / 2**30:.0f} GiB of memory, since the "
            "next ones are decoded in advance: use a smaller MiniBatch(size).",
            code="batches-too-large",
            size=size,
            needed=needed,
        )
