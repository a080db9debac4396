"""The compiled program of a pack: what resident and streamed programs have in common."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from optexp_jax import backend
from optexp_jax.datasets.data import Data
from optexp_jax.errors import OptexpError
from optexp_jax.numerics import pinned
from optexp_jax.optim import Optimizer, has_rate, holds_rate, kind_of
from optexp_jax.training import devices
from optexp_jax.training.compiler import compiler_options
from optexp_jax.training.metrics import MORE
from optexp_jax.training.pack import Pack
from optexp_jax.training.sharding import axes_of, spec_of
from optexp_jax.training.step import Row, RunState, States, Stepper, make_stepper

# Rows stay in device memory until the end of a chunk: their most bytes, for the whole pack.
_ROW_BYTES = 32 * 2**20
_MOST_ROWS = 8192
_CLASS_PREFIX = "class_"


@contextlib.contextmanager
def precision_of(pack: Pack) -> Iterator[None]:
    """Set the precision of a problem in the block; by default float32 and exact matrix products."""
    precision = pack.experiments[0].problem.precision
    products = "tensorfloat32" if precision == "tf32" else "highest"
    with pinned(precision == "float64", products):
        yield


@dataclasses.dataclass(frozen=True)
class Slots:
    """The row of the buffers that each step of a chunk writes to.

    A step that records nothing has the capacity of the buffer as its row, which is past the end.

    Args:
        rows: row of each step, integers `[steps]`.
        class_rows: row of each step in the buffers of per-class arrays, integers `[steps]`.
    """

    rows: np.ndarray
    class_rows: np.ndarray


class Program:
    """A pack on its devices.

    The number of runs and the seeds are arguments of the compiled program. So packs of any size
    run the same instructions, and the results do not depend on the size in any bit.

    Args:
        pack: the runs and how they train.
        data: the data of their problem.
        example: shape and type of one stored input, `[1, ...]`.

    Raises:
        OptexpError: the model cannot train with this micro-batch.
    """

    row_capacity = class_capacity = _MOST_ROWS

    def __init__(self, pack: Pack, data: Data, example: jax.ShapeDtypeStruct) -> None:
        self.pack = pack
        self.mesh = devices.mesh_of(pack.devices)
        at_once = self.mesh.shape[devices.RUN]
        self.padded = -(-len(pack.experiments) // at_once) * at_once
        self._example = example
        self._axes: dict[str, int] = {}
        with precision_of(pack):
            self.stepper = make_stepper(pack.experiments[0], data, pack.micro_batch, pack.remat)
            first = jax.eval_shape(self._first)
            self.stepper.check_parts(first, pack.devices)
        if pack.shard == "fsdp":
            self._axes = axes_of(first.params | first.frozen, pack.devices)

    def chunk(self, states: RunState, slots: Slots) -> tuple[RunState, Row]:
        """Take one step for each slot. The memory of the given states is reused.

        Returns:
            the states after the steps, and the rows, leaves `[runs, rows, ...]`.
        """
        raise NotImplementedError

    def evaluate(self, states: RunState) -> tuple[RunState, Row]:
        """Evaluate all runs at their parameters. The memory of the given states is reused.

        Returns:
            the same states, and the rows, leaves `[runs, 1, ...]`.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Release resources other than memory, such as threads."""

    @property
    def most_steps(self) -> int:
        """Most steps of a chunk."""
        return _MOST_ROWS

    # -- states ---------------------------------------------------------------------------------

    def _first(self, seed: Any = 0) -> RunState:
        return self.stepper.start(*self._parameters(seed))

    def _parameters(self, seed: Any) -> tuple[Any, Any]:
        example = jnp.zeros(self._example.shape, self._example.dtype)
        return self._seeded(seed).parameters(example)

    def _seeded(self, seed: Any) -> Stepper:
        """Return the stepper of a run, for its devices, inside a compiled program."""
        how: dict[str, Any] = {"devices": self.pack.devices, "axes": self._axes}
        objective = dataclasses.replace(self.stepper.objective, **how)
        return dataclasses.replace(self.stepper, seed=seed, objective=objective)

    @property
    def _seeds(self) -> np.ndarray:
        """The seed of each run, uint32 `[padded runs]`; padding repeats the last seed."""
        seeds = [e.seed for e in self.pack.experiments]
        return np.array(seeds + seeds[-1:] * (self.padded - len(seeds)), np.uint32)

    def initial(self) -> RunState:
        """Return the states of all runs before the first step, leaves `[padded runs, ...]`."""
        # On the host: it has the memory, has the same numbers for every device, and compiles this
        # in a tenth of the time, where a GPU takes 34 s for GPT-2 small.
        with precision_of(self.pack), jax.default_device(devices.of_host()):
            # Two programs, since the first is the same for all optimizers. States are stacked on
            # the host, which needs no program.
            parameters, start = jax.jit(self._parameters), jax.jit(self.stepper.start)
            by_seed = {s: jax.device_get(start(*parameters(s))) for s in np.unique(self._seeds)}
            states = [self._with_rate(by_seed[seed], i) for i, seed in enumerate(self._seeds)]
            return self._spread_states(jax.tree.map(lambda *leaves: np.stack(leaves), *states))

    def restored(self, leaves: States) -> RunState:
        """Put the states of a checkpoint on the devices of the pack.

        Args:
            leaves: path of each leaf -> `[runs, ...]`.

        Raises:
            OptexpError: the paths or shapes are not those of this program.
        """
        with precision_of(self.pack):
            template = jax.eval_shape(self._first)
            paths, tree = jax.tree_util.tree_flatten_with_path(template)
            keys = [jax.tree_util.keystr(path) for path, _ in paths]
            shapes = {key: leaf.shape for key, (_, leaf) in zip(keys, paths, strict=True)}
            if {key: leaf.shape[1:] for key, leaf in leaves.items()} != shapes:
                raise OptexpError(
                    "The checkpoint does not fit the experiment, since another version of the "
                    "model or of a library wrote it: start again with --force.",
                    code="checkpoint-does-not-fit",
                )
            states = tree.unflatten([self._pad(leaves[key]) for key in keys])
            alive = np.arange(self.padded) < len(self.pack.experiments)
            return self._spread_states(states._replace(alive=states.alive & alive))

    def _pad(self, leaf: np.ndarray) -> np.ndarray:
        missing = self.padded - len(leaf)
        return np.concatenate([leaf, np.repeat(leaf[:1], missing, axis=0)])

    def _with_rate(self, state: RunState, index: int) -> RunState:
        """Set the learning rate of run `index`; runs beyond the pack are padding, never alive."""
        state = state._replace(alive=np.bool_(index < len(self.pack.experiments)))
        optimizers = [e.optimizer for e in self.pack.experiments]
        optimizer, alone = optimizers[min(index, len(optimizers) - 1)], len(set(optimizers)) == 1
        return state._replace(opt_state=_at_rate_of(optimizer, state.opt_state, alone))

    # -- devices --------------------------------------------------------------------------------

    @property
    def _runs(self) -> np.int32:
        """Runs per device, or per group of devices that share a run."""
        return np.int32(self.padded // self.mesh.shape[devices.RUN])

    def _spread(self, tree: Any) -> Any:
        """Distribute the runs of a tree, its first axis, over the devices."""
        return jax.device_put(tree, jax.NamedSharding(self.mesh, jax.P(devices.RUN)))

    def _spread_states(self, states: RunState) -> RunState:
        """Distribute the states of runs over the devices; with FSDP also parts of each."""
        shared = self.pack.devices if self._axes else 1

        def sharding(leaf: Any) -> jax.NamedSharding:
            return jax.NamedSharding(self.mesh, spec_of(leaf.shape[1:], shared, devices.RUN))

        return jax.device_put(states, jax.tree.map(sharding, states))

    def _copy(self, tree: Any) -> Any:
        """Copy a tree to all devices."""
        return jax.device_put(tree, jax.NamedSharding(self.mesh, jax.P()))

    def _compiled(self, function: Callable[..., Any], by_run: int, shared: int, donate: Any) -> Any:
        """Compile a function of runs; each device has its own runs and all shared arguments.

        Args:
            function: the function. Runs are on the first axis of its first `by_run` arguments and
                of all results, but not of the next `shared` arguments.
            by_run: number of arguments with runs.
            shared: number of shared arguments.
            donate: indices of arguments whose memory the results may reuse.
        """
        specs = (jax.P(devices.RUN),) * by_run + (jax.P(),) * shared
        # With FSDP, the function is written for whole leaves, and XLA partitions it.
        local = {devices.RUN} if self._axes else {devices.RUN, devices.DATA}
        sharded = jax.shard_map(
            function,
            mesh=self.mesh,
            axis_names=local,
            in_specs=specs,
            out_specs=jax.P(devices.RUN),
            check_vma=False,
        )
        options = compiler_options()
        return jax.jit(sharded, donate_argnums=donate, compiler_options=options)

    def _over_runs(self, one: Callable[..., Any], runs: Any, carry: Any, *fixed: Any) -> Any:
        """Apply `one` to each run of `carry` and of `fixed`, and return the new `carry`."""
        if self.pack.mode == "vmap":
            return jax.vmap(one)(carry, *fixed)

        # As lax.map, but in place, and the compiler does not know the number of runs: it would
        # unroll a loop of known length 1, which rounds differently.
        def body(i: Any, carry: Any) -> Any:
            parts = jax.tree.map(lambda leaf: _part(leaf, i), (carry, *fixed))
            result = jax.lax.optimization_barrier(one(*jax.lax.optimization_barrier(parts)))
            return jax.tree.map(lambda buffer, new: _with_part(buffer, i, new), carry, result)

        # A GPU waits for the host around a loop whose length is data: 2 to 4 ms a step.
        number = runs if backend.form() == "cpu" else len(jax.tree.leaves(carry)[0])
        return jax.lax.fori_loop(0, number, body, carry)

    def _over_seeded_runs(
        self, one: Callable[..., Any], runs: Any, carry: Any, seeds: Any, *fixed: Any
    ) -> Any:
        """Apply `one` as `_over_runs` does; it takes a stepper with the seed of the run first."""
        if self.pack.mode == "vmap":  # all runs have one seed, hence one order of the data
            stepper = self._seeded(seeds[0])
            return self._over_runs(lambda *parts: one(stepper, *parts), runs, carry, *fixed)

        def seeded(part: Any, seed: Any, *parts: Any) -> Any:
            return one(self._seeded(seed), part, *parts)

        return self._over_runs(seeded, runs, carry, seeds, *fixed)

    # -- rows -----------------------------------------------------------------------------------

    def _set_capacities(self, row: Row) -> None:
        """Set the most rows, and rows of per-class arrays, of a chunk, from the shapes of one."""
        by_class = [
            leaf.size * leaf.dtype.itemsize
            for path, leaf in jax.tree_util.tree_leaves_with_path(row)
            if is_by_class(path)
        ]
        if by_class:
            fitting = _ROW_BYTES // (self.padded * sum(by_class))
            self.class_capacity = int(np.clip(fitting, 1, 256))
        # Sums of further metrics may hold a number for each class, in every row.
        more = [part[MORE] for part in row.values() if isinstance(part, dict) and MORE in part]
        size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(more))
        if size:
            self.row_capacity = int(np.clip(_ROW_BYTES // (self.padded * size), 1, _MOST_ROWS))

    def _capacity(self, path: Any) -> int:
        return self.class_capacity if is_by_class(path) else self.row_capacity


def _part(stacked: jax.Array, i: Any) -> jax.Array:
    """Return the part of run `i`; a single run needs no copy."""
    return stacked[0] if len(stacked) == 1 else stacked[i]


def _with_part(stacked: jax.Array, i: Any, part: jax.Array) -> jax.Array:
    """Replace the part of run `i` in place; `at[i].set` would check the index."""
    if len(stacked) == 1:
        return part[None]
    return jax.lax.dynamic_update_index_in_dim(stacked, part, i, 0)


def _at_rate_of(optimizer: Optimizer, opt_state: Any, alone: bool) -> Any:
    """Set the learning rate in the optimizer state of a run.

    Args:
        optimizer: the optimizer of the run.
        opt_state: the state of the optimizer of the first run of the pack.
        alone: whether all runs have the same learning rate. It then need not be in the state.

    Raises:
        OptexpError: the state has no learning rate, but learning rates differ.
    """
    if not has_rate(optimizer) or (alone and not holds_rate(opt_state)):
        return opt_state
    rate = np.asarray(float(optimizer.learning_rate), jnp.result_type(float))
    try:
        return optax.tree.set(opt_state, learning_rate=rate)
    except KeyError:
        kind = kind_of(optimizer)
        raise OptexpError(
            f"The state of {kind} has no learning_rate, so that all runs of a pack would train at "
            "the same one: let `build` return optexp_jax.optim.inject_rate(...), or set `has_rate "
            "= False`.",
            code="rate-not-in-state",
            kind=kind,
        ) from None


def measured(pack: Pack, data: Data) -> tuple[Any, Any]:
    """Return the data on which training and validation metrics are measured.

    With full batches, training metrics are measured on all training data; with mini-batches, on
    the fixed evaluation subset if the data set has one. Validation data may be None.
    """
    part = None if pack.experiments[0].problem.batching.is_full else data.evaluation
    return (data.train if part is None else part), data.validation


def block_size(pack: Pack, data: Data) -> int | None:
    """Return the examples per block when metrics are measured; None for all at once.

    These are as many as in a pass of training, so that measuring fits into memory if training does.
    """
    batching = pack.experiments[0].problem.batching
    of_a_step = None if batching.is_full else batching.batch_size(len(data.train))
    sizes = [size for size in (pack.micro_batch, of_a_step) if size is not None]
    return min(sizes, default=None)


def is_by_class(path: Any) -> bool:
    """Return whether a leaf of a row is a per-class array, from its path."""
    return str(getattr(path[-1], "key", "")).startswith(_CLASS_PREFIX)


def zeros_like(shapes: Any) -> Any:
    """Return zeros of the shapes of a tree."""
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
