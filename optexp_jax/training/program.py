"""The compiled program of a pack: many steps of many runs in one call."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from optexp_jax.datasets.data import Data
from optexp_jax.errors import OptexpError
from optexp_jax.optim import LineSearchGD
from optexp_jax.problem import FullBatch
from optexp_jax.training.batches import to_blocks
from optexp_jax.training.checkpoint import States
from optexp_jax.training.pack import Pack
from optexp_jax.training.step import DeviceData, Row, RunState, make_stepper

# Rows of a chunk stay on the device until it ends; this bounds them, for the whole pack.
_ROW_BYTES = 32 * 2**20
_MOST_ROWS = 8192
_CLASS_PREFIX = "class_"


@contextlib.contextmanager
def precision_of(pack: Pack) -> Iterator[None]:
    """Full-precision matrix products; 64-bit floats where the problem asks for them."""
    double = pack.experiments[0].problem.precision == "float64"
    with jax.enable_x64(double), jax.default_matmul_precision("highest"):
        yield


@dataclasses.dataclass(frozen=True)
class Slots:
    """Where the steps of a chunk write their rows; the number of rows means nowhere.

    Args:
        rows: row of each step, int32 `[chunk]`.
        class_rows: row of the per-class arrays of each step, int32 `[chunk]`.
    """

    rows: np.ndarray
    class_rows: np.ndarray


class Program:
    """A pack on its devices.

    The number of steps and of runs are arguments, so chunks of any length and packs of any size
    run the same instructions: neither changes a bit of the results.
    """

    def __init__(self, pack: Pack, data: Data) -> None:
        self.pack = pack
        experiment = pack.experiments[0]
        problem = experiment.problem
        full_batch = isinstance(problem.batching, FullBatch)
        block = pack.micro_batch if full_batch else getattr(problem.batching, "size", None)
        self.mesh = _mesh()
        self.padded = -(-len(pack.experiments) // self.mesh.size) * self.mesh.size
        with precision_of(pack):
            dtype = jnp.float64 if problem.precision == "float64" else jnp.float32
            self.data = jax.device_put(
                DeviceData(
                    to_blocks(data.train, block, dtype),
                    to_blocks(data.validation, block, dtype) if data.validation else None,
                ),
                jax.NamedSharding(self.mesh, jax.P()),
            )
            self.stepper = make_stepper(
                experiment, data.class_counts, len(data.train), pack.micro_batch
            )
            row = jax.eval_shape(self.stepper.evaluate, *jax.eval_shape(self._first), self.data)
            self.row_capacity, self.class_capacity = _capacities(row, self.padded)
            self._chunk = jax.jit(self._sharded(self._chunk_of_runs, 5), donate_argnums=0)
            self._evaluate = jax.jit(self._sharded(self._rows_of_runs, 2))

    def _first(self) -> tuple[RunState]:
        return (self.stepper.init(self.data),)

    def initial(self) -> RunState:
        """The states of all runs before the first step, stacked on the first axis."""
        with precision_of(self.pack):
            (state,) = jax.jit(self._first)()
            states = [self._with_rate(state, i) for i in range(self.padded)]
            return self._place(jax.tree.map(lambda *leaves: jnp.stack(leaves), *states))

    def restored(self, leaves: States) -> RunState:
        """The states of a checkpoint on the devices of the pack, one row per run.

        Raises:
            OptexpError: the leaves are not those of this program.
        """
        with precision_of(self.pack):
            template = jax.eval_shape(self._first)[0]
            paths, tree = jax.tree_util.tree_flatten_with_path(template)
            keys = [jax.tree_util.keystr(path) for path, _ in paths]
            shapes = {key: leaf.shape for key, (_, leaf) in zip(keys, paths, strict=True)}
            if {key: leaf.shape[1:] for key, leaf in leaves.items()} != shapes:
                raise OptexpError(
                    "The checkpoint does not fit the experiment: it was written by another version "
                    "of the model or of the libraries; start again with --force."
                )
            states = tree.unflatten([self._pad(leaves[key]) for key in keys])
            alive = np.arange(self.padded) < len(self.pack.experiments)
            return self._place(states._replace(alive=states.alive & alive))

    def _pad(self, leaf: np.ndarray) -> np.ndarray:
        missing = self.padded - len(leaf)
        return np.concatenate([leaf, np.repeat(leaf[:1], missing, axis=0)])

    def _place(self, states: RunState) -> RunState:
        return jax.device_put(states, jax.NamedSharding(self.mesh, jax.P("run")))

    def _with_rate(self, state: RunState, index: int) -> RunState:
        """The state of run `index`; runs beyond the pack are padding and never alive."""
        state = state._replace(alive=jnp.bool(index < len(self.pack.experiments)))
        optimizer = self.pack.experiments[min(index, len(self.pack.experiments) - 1)].optimizer
        if isinstance(optimizer, LineSearchGD):
            return state
        rate = jnp.asarray(float(optimizer.learning_rate), jnp.result_type(float))
        return state._replace(opt_state=optax.tree.set(state.opt_state, learning_rate=rate))

    def chunk(self, states: RunState, slots: Slots) -> tuple[RunState, Row]:
        """Take as many steps as there are slots; the states given are consumed.

        Returns:
            the new states and the rows, leaves `[runs, rows, ...]`, on the devices.
        """
        number = len(slots.rows)
        with precision_of(self.pack):
            rows, class_rows = (
                np.pad(s.astype(np.int32), (0, self.most_steps - number))
                for s in (slots.rows, slots.class_rows)
            )
            runs = np.int32(self.padded // self.mesh.size)
            return self._chunk(states, runs, np.int32(number), rows, class_rows, self.data)

    def evaluate(self, states: RunState) -> Row:
        """The rows at the parameters of all runs, leaves `[runs, 1, ...]`, on the devices."""
        with precision_of(self.pack):
            runs = np.int32(self.padded // self.mesh.size)
            return self._evaluate(states, runs, self.data)

    @property
    def most_steps(self) -> int:
        """The longest chunk that one call can take."""
        return _MOST_ROWS

    def _sharded(self, function: Any, arguments: int) -> Any:
        """Spread the runs over the devices; each device loops over its own."""
        specs = (jax.P("run"),) + (jax.P(),) * arguments
        return jax.shard_map(
            function, mesh=self.mesh, in_specs=specs, out_specs=jax.P("run"), check_vma=False
        )

    def _chunk_of_runs(
        self, states: RunState, runs: Any, number: Any, rows: Any, class_rows: Any, data: DeviceData
    ) -> tuple[RunState, Row]:
        one = functools.partial(
            self._chunk_of_run, number=number, slots=(rows, class_rows), data=data
        )
        return self._over_runs(one, states, runs)

    def _rows_of_runs(self, states: RunState, runs: Any, data: DeviceData) -> Row:
        def one(state: RunState) -> tuple[RunState, Row]:
            return state, jax.tree.map(lambda leaf: leaf[None], self.stepper.evaluate(state, data))

        return self._over_runs(one, states, runs)[1]

    def _over_runs(self, one: Any, states: RunState, runs: Any) -> tuple[RunState, Row]:
        if self.pack.mode == "vmap":
            return jax.vmap(one)(states)
        # lax.map in effect, but in place, and with a number of runs that the compiler does not
        # know: a loop of known length 1 would be unrolled and round differently.
        count = len(states.step)
        _, row = jax.eval_shape(one, jax.tree.map(lambda leaf: leaf[0], states))
        rows = jax.tree.map(lambda s: jnp.zeros((count, *s.shape), s.dtype), row)

        def body(i: Any, carry: Any) -> Any:
            state = jax.tree.map(lambda leaf: leaf[i], carry[0])
            result = jax.lax.optimization_barrier(one(jax.lax.optimization_barrier(state)))
            return jax.tree.map(lambda buffer, new: buffer.at[i].set(new), carry, result)

        return jax.lax.fori_loop(0, runs, body, (states, rows))

    def _chunk_of_run(
        self, state: RunState, number: Any, slots: tuple[Any, Any], data: DeviceData
    ) -> tuple[RunState, Row]:
        row_slots, class_slots = slots

        def going(carry: Any) -> Any:
            i, state, _, _ = carry
            return (i < number) & state.alive

        def body(carry: Any) -> Any:
            i, state, order, rows = carry
            record = row_slots[i] < self.row_capacity
            state, order, row = self.stepper.step(state, data, order, record)
            return i + 1, state, order, self._write(rows, row, row_slots[i], class_slots[i])

        row = jax.eval_shape(self.stepper.evaluate, state, data)
        start = (jnp.int32(0), state, self.stepper.order(state.step), self._buffers(row))
        _, state, _, rows = jax.lax.while_loop(going, body, start)
        return state, rows

    def _capacity(self, path: Any) -> int:
        return self.class_capacity if _is_by_class(path) else self.row_capacity

    def _buffers(self, row: Row) -> Row:
        def buffer(path: Any, leaf: Any) -> jax.Array:
            return jnp.zeros((self._capacity(path), *leaf.shape), leaf.dtype)

        return jax.tree_util.tree_map_with_path(buffer, row)

    def _write(self, rows: Row, row: Row, row_slot: Any, class_slot: Any) -> Row:
        def write(path: Any, buffer: jax.Array, new: jax.Array) -> jax.Array:
            slot = class_slot if _is_by_class(path) else row_slot
            return buffer.at[slot].set(new.astype(buffer.dtype), mode="drop")

        return jax.tree_util.tree_map_with_path(write, rows, row)


def local_devices() -> list[Any]:
    """The devices that packs are spread over."""
    return jax.local_devices()


def _mesh() -> jax.sharding.Mesh:
    # All devices, also for few runs: programs for one device and for several round differently.
    devices = local_devices()
    return jax.make_mesh(
        (len(devices),), ("run",), axis_types=(jax.sharding.AxisType.Auto,), devices=devices
    )


def _is_by_class(path: Any) -> bool:
    return str(getattr(path[-1], "key", "")).startswith(_CLASS_PREFIX)


def _capacities(row: Row, runs: int) -> tuple[int, int]:
    """Rows, and rows of per-class arrays, that a chunk may write."""
    by_class = [
        leaf.size * leaf.dtype.itemsize
        for path, leaf in jax.tree_util.tree_leaves_with_path(row)
        if _is_by_class(path)
    ]
    if not by_class:
        return _MOST_ROWS, 1
    return _MOST_ROWS, int(np.clip(_ROW_BYTES // (runs * sum(by_class)), 1, 256))
