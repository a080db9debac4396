"""One training step and one evaluation as pure functions of a state."""

from __future__ import annotations

import dataclasses
import functools
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
from optexp_jax.models.functional import functional, split_trainable
from optexp_jax.optim import built
from optexp_jax.schedule import Schedule
from optexp_jax.targets import targets_of
from optexp_jax.training.batches import Batch, as_inputs, epoch_order, named_key, take_batch
from optexp_jax.training.metrics import Sums
from optexp_jax.training.objective import Objective, Params

Row = dict[str, Any]
States = dict[str, np.ndarray]  # on the host: path of each leaf -> `[runs, ...]`


class RunState(NamedTuple):
    """Everything a run needs to go on."""

    step: jax.Array  # int32 [], steps taken
    alive: jax.Array  # bool [], False once the loss or the gradient was not finite
    params: Params  # trainable leaves, path -> array
    frozen: Params  # the others
    model_state: Any  # running statistics
    opt_state: Any


class DeviceData(NamedTuple):
    """The data of a pack on the devices."""

    train: Batch
    validation: Batch | None
    evaluation: Batch | None  # part of train that training metrics are measured on; None for all


@dataclasses.dataclass(frozen=True)
class Stepper:
    """The step of an experiment; holds no state.

    Args:
        objective: what is optimised.
        transform: the optimizer; its learning rate is part of the state.
        batching: how the examples are cut into batches.
        num_examples: training examples.
        seed: of parameters, data order and dropout; may be traced.
        micro_batch: examples per forward and backward pass, None for a whole batch.
    """

    objective: Objective
    transform: optax.GradientTransformationExtraArgs
    batching: Batching
    num_examples: int
    seed: int | jax.Array
    micro_batch: int | None

    @property
    def shares_forward(self) -> bool:
        """Whether the gradient's own forward pass is the evaluation of the training data."""
        return self.batching.is_full and self.objective.model.modes_coincide

    def init(self, example: jax.Array) -> RunState:
        """The state before the first step, for a model of inputs like the stored one `[1, ...]`."""
        return self.start(*self.parameters(example))

    def parameters(self, example: jax.Array) -> tuple[Params, Any]:
        """The parameters before the first step, and the model's state; no optimizer enters."""
        inputs = self.objective.to_inputs(example)
        return self.objective.model.init(named_key(self.seed, "params"), inputs)

    def start(self, params: Params, model_state: Any) -> RunState:
        """The state of a run that starts at these parameters."""
        trained, frozen = split_trainable(params, self.objective.model.trainable)
        opt_state = self.transform.init(trained)
        return RunState(jnp.int32(0), jnp.bool(True), trained, frozen, model_state, opt_state)

    @property
    def steps_per_epoch(self) -> int:
        """Steps in an epoch; one for full batches."""
        return self.batching.steps_per_epoch(self.num_examples)

    def last_batch_size(self, state: RunState) -> int:
        """Examples of the last batch of an epoch where it is shorter and the model has a state.

        Batch statistics must see it as it is; for other models it is padded, and 0 is returned.
        """
        if self.batching.is_full or not jax.tree.leaves(state.model_state):
            return 0
        return self.num_examples % self.batch_size

    @property
    def batch_size(self) -> int:
        """Examples of a step; the last of an epoch may have fewer."""
        return min(self.batching.batch_size(self.num_examples), self.num_examples)

    def check_parts(self, state: RunState, devices: int = 1) -> None:
        """Refuse parts of a batch in which a model with batch statistics sees an example twice.

        Raises:
            OptexpError: the micro-batch does not divide the batch, or devices would share it.
        """
        if not jax.tree.leaves(state.model_state):
            return
        if devices > 1:
            raise OptexpError(
                "A model with batch statistics takes batches on one device: leave out "
                "--devices-per-run, several runs use several devices.",
                code="batch-statistics-many-devices",
            )
        if self.micro_batch is None:
            return
        for number in (self.batch_size, self.last_batch_size(state)):
            if number > self.micro_batch and number % self.micro_batch:
                raise OptexpError(
                    f"A model with batch statistics takes batches in equal parts: micro-batches of "
                    f"{self.micro_batch} do not divide a batch of {number}.",
                    code="batch-statistics-unequal-parts",
                    micro_batch=self.micro_batch,
                    batch=number,
                )

    def order(self, step: jax.Array) -> jax.Array:
        """Order of the examples in the epoch of a step; empty for full batches."""
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
        """Take one step on data that is on the device.

        Args:
            state: before the step.
            data: training and validation examples.
            order: order of the examples in the epoch of the step before.
            record: boolean, whether the metrics of the row are wanted.
            keep: boolean, whether the step is taken, or only its row is wanted.

        Returns:
            the state after the step, the order of the epoch, and the row of metrics at the
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
        """Take one step, the order of its epoch known.

        Args:
            state: before the step.
            data: training and validation examples.
            order: order of the examples in the epoch of the step.
            record: whether the metrics of the row are wanted; True and False make no condition.
            keep: whether the step is taken, or only its row is wanted.
            last: whether the step is the last of its epoch; likewise.

        Returns:
            the state after the step and the row at the parameters before it.
        """
        batch = self._batch(data, order, state.step)
        advance = functools.partial(self.advance, with_metrics=self.shares_forward, keep=keep)
        # Batch statistics would be those of the padding, too.
        short = self.last_batch_size(state)
        new, sums, norms = _either(
            last if short else False,
            lambda: advance(state, batch.head(short)),
            lambda: advance(state, batch),
        )
        row = _if_wanted(record, lambda: self._row(state, data, sums))
        return new, row | {"grad_norms": norms}

    def advance(
        self,
        state: RunState,
        batch: Batch,
        with_metrics: bool = False,
        keep: jax.Array | bool = True,
    ) -> tuple[RunState, Sums, dict[str, jax.Array]]:
        """Take one step on a batch.

        Args:
            state: before the step.
            batch: the examples of the step.
            with_metrics: whether the sums hold those of the metrics too.
            keep: boolean, whether the step is taken; if not, the state stays as it is.

        Returns:
            the state after the step, the sums of the batch before it, and the norm of the gradient
            of each leaf. A step whose loss or gradient is not finite leaves the state dead, at its
            old step count.
        """
        key = jax.random.fold_in(named_key(self.seed, "dropout"), state.step)
        where = (state.frozen, state.model_state, batch, key)
        grads, sums, model_state = self.objective.gradient(state.params, *where, with_metrics)
        value = self.objective.value(sums, state.params)
        updates, opt_state = self.transform.update(
            grads,
            state.opt_state,
            state.params,
            value=value,
            grad=grads,
            value_fn=lambda params: self.objective.training_value(params, *where),
        )
        norms = leaf_norms(grads)
        finite = jnp.isfinite(value) & jnp.isfinite(_total(norms))
        # A dead run keeps the parameters of its last row, which may be evaluated later.
        taken = finite & keep
        params, model_state, opt_state = jax.tree.map(
            lambda new, old: jnp.where(taken, new, old),
            (optax.apply_updates(state.params, updates), model_state, opt_state),
            (state.params, state.model_state, state.opt_state),
        )
        new = state._replace(
            step=state.step + taken.astype(jnp.int32),
            alive=finite,
            params=params,
            model_state=model_state,
            opt_state=opt_state,
        )
        return new, sums, norms

    def evaluate(self, state: RunState, data: DeviceData) -> Row:
        """The row of metrics at a state, without a gradient: its gradient norms are NaN."""
        return without_gradient(self._row(state, data, None))

    def measure(self, state: RunState, batch: Batch) -> Sums:
        """Objective and metric sums over a batch."""
        return self.objective.evaluate(state.params, state.frozen, state.model_state, batch)

    def size_of(self, state: RunState) -> Row:
        """The part of a row that takes no data: the penalty and the norm of each leaf."""
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
            # Labels that seem to change with the step keep XLA from storing masks of the size of
            # the logits outside the loop: a step of the linear problem takes 0.7 of the time.
            labels, _ = jax.lax.optimization_barrier((data.train.labels, step))
            return dataclasses.replace(data.train, labels=labels)
        index = step % self.steps_per_epoch
        return take_batch(data.train, order, index, self.batch_size, self.micro_batch)


def make_stepper(experiment: Experiment, data: Data, micro_batch: int | None) -> Stepper:
    """The stepper of an experiment on its data."""
    problem = experiment.problem
    to_inputs = as_inputs if isinstance(data.train, Split) else data.train.to_inputs
    objective = Objective(
        model=functional(problem.model, problem.precision),
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


def _either(first: jax.Array | bool, one: Callable[[], Any], other: Callable[[], Any]) -> Any:
    """One of two results; both are in the program only where data decide."""
    if isinstance(first, bool):
        return one() if first else other()
    return jax.lax.cond(first, one, other)


def _if_wanted(record: jax.Array | bool, make: Callable[[], Row]) -> Row:
    """The row if it is wanted, else zeros of its shape, not computed."""
    if record is True:
        return make()
    shapes = jax.eval_shape(make)
    zeros = lambda: jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)  # noqa: E731
    return _either(record, make, zeros)


def leaf_norms(tree: Params) -> dict[str, jax.Array]:
    """The L2 norm of each leaf."""
    return {path: jnp.linalg.norm(leaf.ravel()) for path, leaf in tree.items()}


def without_gradient(row: Row) -> Row:
    """A row with gradient norms of NaN."""
    return row | {"grad_norms": jax.tree.map(lambda n: n * jnp.nan, row["param_norms"])}


def _total(norms: dict[str, jax.Array]) -> jax.Array:
    return jnp.linalg.norm(jnp.stack(list(norms.values())))
