"""One training step and one evaluation, as pure functions of a state."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from optexp_jax.batching import Batching
from optexp_jax.datasets.data import Data, Split
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.models.functional import functional, rematerialised, split_trainable
from optexp_jax.optim import built
from optexp_jax.schedule import Schedule
from optexp_jax.targets import targets_of
from optexp_jax.training.batches import Batch, as_inputs, epoch_order, named_key, take_batch
from optexp_jax.training.branches import either, guarded, if_wanted, in_turn, is_known
from optexp_jax.training.metrics import Sums
from optexp_jax.training.objective import Objective, Params
from optexp_jax.training.sharding import kept

Row = dict[str, Any]
States = dict[str, np.ndarray]  # states on the host: path of each leaf -> `[runs, ...]`


class RunState(NamedTuple):
    """The state that a run needs to take its next step."""

    step: jax.Array  # int32 [], steps taken
    alive: jax.Array  # bool [], False after a loss or gradient that was not finite
    params: Params  # trainable leaves, path -> array
    frozen: Params  # frozen leaves
    model_state: Any  # running statistics
    opt_state: Any


class Slope(NamedTuple):
    """The objective and its gradient at a state, on a batch."""

    grads: Params
    sums: Sums  # sums over the batch
    model_state: Any  # running statistics after the batch
    value: jax.Array  # [], the objective
    norms: dict[str, jax.Array]  # path -> norm of the gradient


class DeviceData(NamedTuple):
    """The data of a pack on the devices."""

    train: Batch
    validation: Batch | None
    evaluation: Batch | None  # subset of train for training metrics; None for all of it


@dataclasses.dataclass(frozen=True)
class Stepper:
    """The step of an experiment; holds no state.

    Args:
        objective: the objective.
        transform: the optimizer, with its learning rate in its state.
        batching: how examples are split into batches.
        num_examples: number of training examples.
        seed: seed of initial parameters, data order and dropout; may be traced.
        micro_batch: examples per forward and backward pass; None for a whole batch.
    """

    objective: Objective
    transform: optax.GradientTransformationExtraArgs
    batching: Batching
    num_examples: int
    seed: int | jax.Array
    micro_batch: int | None

    @property
    def shares_forward(self) -> bool:
        """Whether the forward pass of the gradient also gives the training metrics."""
        return self.batching.is_full and self.objective.model.modes_coincide

    def init(self, example: jax.Array) -> RunState:
        """Return the state before the first step, for stored inputs like `example`, `[1, ...]`."""
        return self.start(*self.parameters(example))

    def parameters(self, example: jax.Array) -> tuple[Params, Any]:
        """Return the initial parameters and model state, which no optimizer affects."""
        inputs = self.objective.to_inputs(example)
        return self.objective.model.init(named_key(self.seed, "params"), inputs)

    def start(self, params: Params, model_state: Any) -> RunState:
        """Return the state of a run that starts at these parameters."""
        trained, frozen = split_trainable(params, self.objective.model.trainable)
        opt_state = self.transform.init(trained)
        return RunState(jnp.int32(0), jnp.bool(True), trained, frozen, model_state, opt_state)

    @property
    def steps_per_epoch(self) -> int:
        """Steps per epoch; one for full batches."""
        return self.batching.steps_per_epoch(self.num_examples)

    def last_batch_size(self, state: RunState) -> int:
        """Return the size of the last batch of an epoch if it must not be padded, else 0.

        Batch statistics must not include padding; for other models a smaller batch is padded.
        """
        if self.batching.is_full or not jax.tree.leaves(state.model_state):
            return 0
        return self.num_examples % self.batch_size

    @property
    def batch_size(self) -> int:
        """Examples per step; the last step of an epoch may have fewer."""
        return min(self.batching.batch_size(self.num_examples), self.num_examples)

    def check_parts(self, state: RunState, devices: int = 1) -> None:
        """Refuse splits of a batch that would count examples twice in batch statistics.

        Args:
            state: a state of the run, or its shapes.
            devices: number of devices that share a batch.

        Raises:
            OptexpError: the model has batch statistics, and the micro-batch does not divide the
                batch, or several devices share it.
        """
        if not jax.tree.leaves(state.model_state):
            return
        if devices > 1:
            raise OptexpError(
                "A model with batch statistics trains each run on one device: leave out "
                "--devices-per-run; several runs can use several devices.",
                code="batch-statistics-many-devices",
            )
        if self.micro_batch is None:
            return
        for number in (self.batch_size, self.last_batch_size(state)):
            if number > self.micro_batch and number % self.micro_batch:
                raise OptexpError(
                    "A model with batch statistics needs equal parts of a batch: a batch of "
                    f"{number} cannot be split into micro-batches of {self.micro_batch}.",
                    code="batch-statistics-unequal-parts",
                    micro_batch=self.micro_batch,
                    batch=number,
                )

    def order(self, step: jax.Array) -> jax.Array:
        """Return the order of the examples in the epoch of a step; empty for full batches."""
        if self.batching.is_full:
            return jnp.zeros((0,), jnp.int32)
        epoch = step // self.steps_per_epoch
        key = named_key(self.seed, "order")
        return epoch_order(key, epoch, self.num_examples, self.batching.shuffle)

    def step(
        self,
        state: RunState,
        data: DeviceData,
        order: jax.Array,
        record: jax.Array,
        keep: jax.Array | bool = True,
    ) -> tuple[RunState, jax.Array, Row]:
        """Take one step, with data on the device.

        Args:
            state: state before the step.
            data: training and validation examples.
            order: order of the examples in the epoch of the step before, int32 `[num_examples]`.
            record: whether to compute the metrics of the row, boolean `[]`.
            keep: whether to take the step; if not, only the row is computed.

        Returns:
            the state after the step, the order of its epoch, and the row of metrics at the
            parameters *before* the step.
        """
        if not self.batching.is_full:
            at_start = state.step % self.steps_per_epoch == 0
            order = jax.lax.cond(at_start, lambda: self.order(state.step), lambda: order)
        last = (state.step + 1) % self.steps_per_epoch == 0
        new, row = self.step_in_order(state, data, order, record, keep, last)
        return new, order, row

    def step_in_order(
        self,
        state: RunState,
        data: DeviceData,
        order: jax.Array,
        record: jax.Array | bool,
        keep: jax.Array | bool,
        last: jax.Array | bool,
    ) -> tuple[RunState, Row]:
        """Take one step, given the order of the examples in its epoch.

        Args:
            state: state before the step.
            data: training and validation examples.
            order: order of the examples in the epoch of the step, int32 `[num_examples]`.
            record: whether to compute the metrics of the row. A Python bool puts no condition into
                the program.
            keep: whether to take the step; if not, only the row is computed.
            last: whether the step is the last of its epoch; a Python bool as for `record`.

        Returns:
            the state after the step, and the row of metrics at the parameters before it.
        """
        batch = self._batch(data, order, state.step)
        # Batch statistics must not include padding.
        short = self.last_batch_size(state)

        def of_batch(function: Callable[[Batch], Any]) -> Any:
            is_last = last if short else False
            return either(is_last, lambda: function(batch.head(short)), lambda: function(batch))

        found = of_batch(lambda batch: self.slope(state, batch, with_metrics=self.shares_forward))
        if not isinstance(record, bool):
            record = record & is_known(found.norms)
        row = if_wanted(record, lambda: self._row(state, data, found.sums))

        def value_at(params: Params) -> jax.Array:
            return of_batch(lambda batch: self._value_at(params, state, batch))

        new = self.update(state, found, value_at, keep & is_known(row["param_norms"]))
        return new, row | {"grad_norms": found.norms}

    def advance(self, state: RunState, batch: Batch) -> tuple[RunState, dict[str, jax.Array]]:
        """Take one step on a batch.

        Returns:
            the state after the step, and path -> norm of the gradient of each leaf.
        """
        found = self.slope(state, batch, with_metrics=False)

        def value_at(params: Params) -> jax.Array:
            return self._value_at(params, state, batch)

        return self.update(state, found, value_at, True), found.norms

    def slope(self, state: RunState, batch: Batch, with_metrics: bool) -> Slope:
        """Compute the objective and its gradient on a batch.

        Args:
            state: state before the step.
            batch: the examples of the step.
            with_metrics: whether to sum the metrics, too.
        """
        where = self._where(state, batch)
        grads, sums, model_state = self.objective.gradient(state.params, *where, with_metrics)
        value = self.objective.value(sums, state.params)
        norms = in_turn(state.step >= 0, lambda: leaf_norms(grads))
        return Slope(grads, sums, model_state, value, norms)

    def update(
        self,
        state: RunState,
        slope: Slope,
        value_at: Callable[[Params], jax.Array],
        keep: jax.Array | bool,
    ) -> RunState:
        """Update a state with the optimizer.

        Args:
            state: state before the step.
            slope: objective and gradient at this state.
            value_at: parameters -> objective, for a line search.
            keep: whether to take the step; if not, parameters and step count stay the same.

        Returns:
            the state after the step. If the objective or the gradient is not finite, the state is
            no longer alive, and its parameters and step count stay the same.
        """
        grads, value = slope.grads, slope.value

        def moved() -> Any:
            updates, opt_state = self.transform.update(
                grads, state.opt_state, state.params, value=value, grad=grads, value_fn=value_at
            )
            params = optax.apply_updates(state.params, updates)
            return self._kept(params), slope.model_state, self._kept(opt_state)

        finite = jnp.isfinite(value) & jnp.isfinite(_total(slope.norms))
        taken = finite & keep
        # A diverged run keeps the parameters of its last row, which may be evaluated later.
        params, model_state, opt_state = guarded(
            taken, moved, (state.params, state.model_state, state.opt_state)
        )
        return state._replace(
            step=state.step + taken.astype(jnp.int32),
            alive=finite,
            params=params,
            model_state=model_state,
            opt_state=opt_state,
        )

    def _kept(self, tree: Any) -> Any:
        """Keep a tree sharded over the devices if they share parameters (FSDP)."""
        return kept(tree, self.objective.devices) if self.objective.axes else tree

    def _where(self, state: RunState, batch: Batch) -> tuple[Params, Any, Batch, jax.Array]:
        """Return the arguments of the objective after the parameters."""
        key = jax.random.fold_in(named_key(self.seed, "dropout"), state.step)
        return state.frozen, state.model_state, batch, key

    def _value_at(self, params: Params, state: RunState, batch: Batch) -> jax.Array:
        return self.objective.training_value(params, *self._where(state, batch))

    def evaluate(self, state: RunState, data: DeviceData) -> Row:
        """Return the row of metrics at a state, with NaN as gradient norms."""
        return without_gradient(self._row(state, data, None))

    def measure(self, state: RunState, batch: Batch) -> Sums:
        """Sum the objective and the metrics over a batch, in evaluation mode."""
        return self.objective.evaluate(state.params, state.frozen, state.model_state, batch)

    def size_of(self, state: RunState) -> Row:
        """Return the part of a row that needs no data: the penalty and the norm of each leaf."""
        penalty = self.objective.penalty(state.params)
        return {"penalty": penalty, "param_norms": leaf_norms(state.params)}

    def _row(self, state: RunState, data: DeviceData, sums: Sums | None) -> Row:
        if sums is None or not self.shares_forward:
            sums = self.measure(state, data.train if data.evaluation is None else data.evaluation)
        row = {"tr": sums} | self.size_of(state)
        if data.validation is not None:
            row["va"] = self.measure(state, data.validation)
        return row

    def _batch(self, data: DeviceData, order: jax.Array, step: jax.Array) -> Batch:
        if self.batching.is_full:
            # If labels seem to change with the step, XLA does not hoist masks of the size of the
            # logits out of the loop: a step of the linear problem takes 0.7 of the time.
            labels, _ = jax.lax.optimization_barrier((data.train.labels, step))
            return dataclasses.replace(data.train, labels=labels)
        index = step % self.steps_per_epoch
        return take_batch(data.train, order, index, self.batch_size, self.micro_batch)


def make_stepper(
    experiment: Experiment, data: Data, micro_batch: int | None, remat: bool = False
) -> Stepper:
    """Return the stepper of an experiment.

    Args:
        experiment: the experiment.
        data: its data, or only its shapes.
        micro_batch: examples per forward and backward pass; None for a whole batch.
        remat: whether the backward pass computes blocks of the model again.

    Raises:
        OptexpError: `remat` is set, but the model does not support it.
    """
    problem = experiment.problem
    model = rematerialised(problem.model) if remat else problem.model
    to_inputs = as_inputs if isinstance(data.train, Split) else data.train.to_inputs
    objective = Objective(
        model=functional(model, problem.precision),
        loss=problem.loss,
        loss_sum=problem.loss.build(data.class_counts),
        l2=problem.l2,
        num_classes=len(data.class_counts),
        per_class=experiment.per_class,
        to_inputs=to_inputs,
        metrics=experiment.metrics,
        targets=targets_of(problem.dataset),
    )
    return Stepper(
        objective=objective,
        transform=built(experiment.optimizer, Schedule.of(experiment, len(data.train)).total),
        batching=problem.batching,
        num_examples=len(data.train),
        seed=experiment.seed,
        micro_batch=micro_batch,
    )


def leaf_norms(tree: Params) -> dict[str, jax.Array]:
    """Return the L2 norm of each leaf: path -> scalar."""
    return {path: jnp.linalg.norm(leaf.ravel()) for path, leaf in tree.items()}


def without_gradient(row: Row) -> Row:
    """Set the gradient norms of a row to NaN."""
    return row | {"grad_norms": jax.tree.map(lambda n: n * jnp.nan, row["param_norms"])}


def _total(norms: dict[str, jax.Array]) -> jax.Array:
    return jnp.linalg.norm(jnp.stack(list(norms.values())))
