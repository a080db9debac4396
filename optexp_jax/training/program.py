"""The compiled program of a pack: what programs share wherever their data are."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from optexp_jax.datasets.data import Data
from optexp_jax.errors import OptexpError
from optexp_jax.numerics import pinned
from optexp_jax.optim import Optimizer, has_rate, holds_rate, kind_of
from optexp_jax.training import devices
from optexp_jax.training.metrics import MORE
from optexp_jax.training.pack import Pack
from optexp_jax.training.remat import compiler_options
from optexp_jax.training.sharding import axes_of, spec_of
from optexp_jax.training.step import Row, RunState, States, Stepper, make_stepper

# Rows of a chunk stay in memory until it ends; this bounds them, for the whole pack.
_ROW_BYTES = 32 * 2**20
_MOST_ROWS = 8192
_CLASS_PREFIX = "class_"


@contextlib.contextmanager
def precision_of(pack: Pack) -> Iterator[None]:
    """Full-precision matrix products and 32-bit floats, unless the problem asks for others."""
    precision = pack.experiments[0].problem.precision
    products = "tensorfloat32" if precision == "tf32" else "highest"
    with pinned(precision == "float64", products):
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

    The number of runs is an argument of what is compiled, so packs of any size run the same
    instructions: the size changes no bit of the results. So are the seeds.

    Args:
        pack: what is run.
        data: the data of its problem.
        example: one stored input, `[1, ...]`.

    Raises:
        OptexpError: a micro-batch that the model cannot take.
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
        """Take as many steps as there are slots; the states given are consumed.

        Returns:
            the new states and the rows, leaves `[runs, rows, ...]`.
        """
        raise NotImplementedError

    def evaluate(self, states: RunState) -> tuple[RunState, Row]:
        """The rows at the parameters of all runs; the states given are consumed.

        Returns:
            the same states and the rows, leaves `[runs, 1, ...]`.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what the program holds beside memory."""

    @property
    def most_steps(self) -> int:
        """The longest chunk that one call can take."""
        return _MOST_ROWS

    # -- states ---------------------------------------------------------------------------------

    def _first(self, seed: Any = 0) -> RunState:
        return self.stepper.start(*self._parameters(seed))

    def _parameters(self, seed: Any) -> tuple[Any, Any]:
        example = jnp.zeros(self._example.shape, self._example.dtype)
        return self._seeded(seed).parameters(example)

    def _seeded(self, seed: Any) -> Stepper:
        """The stepper inside a program: of a run, on its devices."""
        how: dict[str, Any] = {"devices": self.pack.devices, "axes": self._axes}
        objective = dataclasses.replace(self.stepper.objective, **how)
        return dataclasses.replace(self.stepper, seed=seed, objective=objective)

    @property
    def _seeds(self) -> np.ndarray:
        """The seed of each run, uint32 `[runs]`; the last ones are padding."""
        seeds = [e.seed for e in self.pack.experiments]
        return np.array(seeds + seeds[-1:] * (self.padded - len(seeds)), np.uint32)

    def initial(self) -> RunState:
        """The states of all runs before the first step, stacked on the first axis."""
        with precision_of(self.pack), self._where_first():
            # Two programs, as the first is the same for all optimizers; and stacked on the host, as
            # that needs none.
            parameters, start = jax.jit(self._parameters), jax.jit(self.stepper.start)
            by_seed = {s: jax.device_get(start(*parameters(s))) for s in np.unique(self._seeds)}
            states = [self._with_rate(by_seed[seed], i) for i, seed in enumerate(self._seeds)]
            return self._spread_states(jax.tree.map(lambda *leaves: np.stack(leaves), *states))

    def _where_first(self) -> contextlib.AbstractContextManager[Any]:
        """Where first states are made: on the host if devices share a run, as it may fit none."""
        if not self._axes:
            return contextlib.nullcontext()
        return jax.default_device(devices.of_host())

    def restored(self, leaves: States) -> RunState:
        """The states of a checkpoint on the devices of the pack, one row per run.

        Raises:
            OptexpError: the leaves are not those of this program.
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
        """The state of run `index`; runs beyond the pack are padding and never alive."""
        state = state._replace(alive=np.bool_(index < len(self.pack.experiments)))
        optimizers = [e.optimizer for e in self.pack.experiments]
        optimizer, alone = optimizers[min(index, len(optimizers) - 1)], len(set(optimizers)) == 1
        return state._replace(opt_state=_at_rate_of(optimizer, state.opt_state, alone))

    # -- devices --------------------------------------------------------------------------------

    @property
    def _runs(self) -> np.int32:
        """Runs of each device, or of those that share a run."""
        return np.int32(self.padded // self.mesh.shape[devices.RUN])

    def _spread(self, tree: Any) -> Any:
        """Put the runs of a tree, its first axis, on their devices."""
        return jax.device_put(tree, jax.NamedSharding(self.mesh, jax.P(devices.RUN)))

    def _spread_states(self, states: RunState) -> RunState:
        """Put the states of runs on their devices; in parts if these share them."""
        shared = self.pack.devices if self._axes else 1

        def sharding(leaf: Any) -> jax.NamedSharding:
            return jax.NamedSharding(self.mesh, spec_of(leaf.shape[1:], shared, devices.RUN))

        return jax.device_put(states, jax.tree.map(sharding, states))

    def _copy(self, tree: Any) -> Any:
        """Put a tree on all devices."""
        return jax.device_put(tree, jax.NamedSharding(self.mesh, jax.P()))

    def _compiled(self, function: Callable[..., Any], by_run: int, shared: int, donate: Any) -> Any:
        """A function of runs, compiled; each device has its own runs and all that is shared.

        Args:
            function: its first `by_run` arguments have runs on their first axis, the next `shared`
                do not; all that it returns has.
            by_run: number of the former.
            shared: number of the latter.
            donate: arguments whose memory the results may take.
        """
        specs = (jax.P(devices.RUN),) * by_run + (jax.P(),) * shared
        # Where devices share the parameters of a run, XLA cuts what is written for whole leaves.
        local = {devices.RUN} if self._axes else {devices.RUN, devices.DATA}
        sharded = jax.shard_map(
            function,
            mesh=self.mesh,
            axis_names=local,
            in_specs=specs,
            out_specs=jax.P(devices.RUN),
            check_vma=False,
        )
        options = compiler_options(self.pack.remat)
        return jax.jit(sharded, donate_argnums=donate, compiler_options=options)

    def _over_runs(self, one: Callable[..., Any], runs: Any, carry: Any, *fixed: Any) -> Any:
        """Replace the part of each run in `carry` by `one` of it and of the parts in `fixed`."""
        if self.pack.mode == "vmap":
            return jax.vmap(one)(carry, *fixed)

        # lax.map in effect, but in place, and with a number of runs that the compiler does not
        # know: a loop of known length 1 would be unrolled and round differently.
        def body(i: Any, carry: Any) -> Any:
            parts = jax.tree.map(lambda leaf: _part(leaf, i), (carry, *fixed))
            result = jax.lax.optimization_barrier(one(*jax.lax.optimization_barrier(parts)))
            return jax.tree.map(lambda buffer, new: _with_part(buffer, i, new), carry, result)

        return jax.lax.fori_loop(0, runs, body, carry)

    def _over_seeded_runs(
        self, one: Callable[..., Any], runs: Any, carry: Any, seeds: Any, *fixed: Any
    ) -> Any:
        """The same, where `one` takes a stepper of the run's seed before the parts."""
        if self.pack.mode == "vmap":  # whose runs share the seed, hence the order of the data
            stepper = self._seeded(seeds[0])
            return self._over_runs(lambda *parts: one(stepper, *parts), runs, carry, *fixed)

        def seeded(part: Any, seed: Any, *parts: Any) -> Any:
            return one(self._seeded(seed), part, *parts)

        return self._over_runs(seeded, runs, carry, seeds, *fixed)

    # -- rows -----------------------------------------------------------------------------------

    def _set_capacities(self, row: Row) -> None:
        """How many rows, and rows of per-class arrays, a chunk may write; `row` is one of them."""
        by_class = [
            leaf.size * leaf.dtype.itemsize
            for path, leaf in jax.tree_util.tree_leaves_with_path(row)
            if is_by_class(path)
        ]
        if by_class:
            fitting = _ROW_BYTES // (self.padded * sum(by_class))
            self.class_capacity = int(np.clip(fitting, 1, 256))
        # Sums of an experiment's own metrics may be as long as there are classes, in every row.
        more = [part[MORE] for part in row.values() if isinstance(part, dict) and MORE in part]
        size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(more))
        if size:
            self.row_capacity = int(np.clip(_ROW_BYTES // (self.padded * size), 1, _MOST_ROWS))

    def _capacity(self, path: Any) -> int:
        return self.class_capacity if is_by_class(path) else self.row_capacity


def _part(stacked: jax.Array, i: Any) -> jax.Array:
    """The part of run `i`. A single run is all of it, and needs no copy."""
    return stacked[0] if len(stacked) == 1 else stacked[i]


def _with_part(stacked: jax.Array, i: Any, part: jax.Array) -> jax.Array:
    """The same with another part for run `i`, in place: `at[i].set` would check the index."""
    if len(stacked) == 1:
        return part[None]
    return jax.lax.dynamic_update_index_in_dim(stacked, part, i, 0)


def _at_rate_of(optimizer: Optimizer, opt_state: Any, alone: bool) -> Any:
    """The state of an optimizer at its own rate; that of the pack's first run was built in.

    Args:
        optimizer: of the run.
        opt_state: that of the first run.
        alone: whether the runs have one rate, which then need not be data.
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
    """The data on which training metrics and validation metrics are measured.

    Full batches are measured on all training data, mini-batches on its fixed part if it has one.
    """
    part = None if pack.experiments[0].problem.batching.is_full else data.evaluation
    return (data.train if part is None else part), data.validation


def block_size(pack: Pack, data: Data) -> int | None:
    """Examples of a block that metrics are measured on; None for all.

    As many as training takes at once, so that they fit where it does.
    """
    batching = pack.experiments[0].problem.batching
    of_a_step = None if batching.is_full else batching.batch_size(len(data.train))
    sizes = [size for size in (pack.micro_batch, of_a_step) if size is not None]
    return min(sizes, default=None)


def is_by_class(path: Any) -> bool:
    """Whether a leaf of a row is an array by class."""
    return str(getattr(path[-1], "key", "")).startswith(_CLASS_PREFIX)


def zeros_like(shapes: Any) -> Any:
    """Zeros of the shapes of a tree."""
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
