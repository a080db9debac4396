"""What is optimised, its gradient and its metrics, over a batch that may come in blocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from optexp_jax.errors import OptexpError
from optexp_jax.losses import Loss, LossSum, Metric
from optexp_jax.metrics import SummedMetric
from optexp_jax.models.functional import ModelFunctions, merge
from optexp_jax.targets import CLASSES, are_vectors
from optexp_jax.training import metrics
from optexp_jax.training.batches import Batch, as_inputs
from optexp_jax.training.devices import DATA
from optexp_jax.training.metrics import Sums

Params = dict[str, jax.Array]


@dataclasses.dataclass(frozen=True)
class Objective:
    """Mean loss plus penalty of a model, as pure functions of its parameters.

    Args:
        model: the model's two functions.
        loss: the loss whose unweighted form is recorded.
        loss_sum: (logits, labels) -> (sum, weight) of the loss that is optimised.
        l2: coefficient of the penalty ½ ‖w‖².
        num_classes: number of classes.
        per_class: whether metrics are also summed by class.
        to_inputs: stored inputs -> the inputs of the model.
        devices: that share the blocks of a batch, on the axis `data` of the program's mesh.
        metrics: what is recorded beside loss and accuracy.
        targets: what the labels are.
    """

    model: ModelFunctions
    loss: Loss
    loss_sum: LossSum
    l2: float
    num_classes: int
    per_class: bool
    to_inputs: Callable[[jax.Array], jax.Array] = as_inputs
    devices: int = 1
    metrics: tuple[Metric | SummedMetric, ...] = ()
    targets: str = CLASSES

    def value(self, sums: Sums, params: Params) -> jax.Array:
        """The objective from the sums of a batch."""
        return sums["objective"] / _divisor(sums) + self.penalty(params)

    def penalty(self, params: Params) -> jax.Array:
        """l2 / 2 · ‖w‖²."""
        if not self.l2:
            return jnp.zeros(())
        return self.l2 / 2 * optax.tree.norm(params, squared=True)

    def evaluate(self, params: Params, frozen: Params, model_state: Any, batch: Batch) -> Sums:
        """Objective and metric sums over all blocks, in evaluation mode."""

        def one(model_state: Any, block: Batch, key: jax.Array) -> tuple[Any, Sums, Any]:
            _, (sums, _) = self.block_value(params, frozen, model_state, block, key, False, True)
            return model_state, sums, ()

        return _over_blocks(one, model_state, batch, jax.random.key(0), self.devices)[1]

    def training_value(
        self, params: Params, frozen: Params, model_state: Any, batch: Batch, key: jax.Array
    ) -> jax.Array:
        """The objective over all blocks, in training mode: what a line search evaluates."""

        def one(model_state: Any, block: Batch, key: jax.Array) -> tuple[Any, Sums, Any]:
            where = (frozen, model_state, block, key)
            _, (sums, state) = self.block_value(params, *where, train=True, with_metrics=False)
            return state, sums, ()

        sums = _over_blocks(one, model_state, batch, key, self.devices)[1]
        return self.value(sums, params)

    def gradient(
        self,
        params: Params,
        frozen: Params,
        model_state: Any,
        batch: Batch,
        key: jax.Array,
        with_metrics: bool,
    ) -> tuple[Params, Sums, Any]:
        """Gradient of the objective over all blocks, its sums, and the new model state."""
        block_gradient = jax.grad(self.block_value, has_aux=True)

        def one(model_state: Any, block: Batch, key: jax.Array) -> tuple[Any, Sums, Params]:
            grads, (sums, state) = block_gradient(
                params, frozen, model_state, block, key, True, with_metrics
            )
            return state, sums, grads

        model_state, sums, grads = _over_blocks(one, model_state, batch, key, self.devices)
        grads = jax.tree.map(lambda g: g / _divisor(sums).astype(g.dtype), grads)
        if self.l2:
            grads = jax.tree.map(lambda g, p: g + self.l2 * p, grads, params)
        return grads, sums, model_state

    def block_value(
        self,
        params: Params,
        frozen: Params,
        model_state: Any,
        block: Batch,
        key: jax.Array,
        train: bool,
        with_metrics: bool,
    ) -> tuple[jax.Array, tuple[Sums, Any]]:
        """Sum of the loss over one block, and as auxiliary output its sums and the model state."""
        inputs = self.to_inputs(block.inputs)
        logits, model_state = self.model.apply(
            merge(params, frozen), model_state, inputs, {"dropout": key}, train
        )
        self._require_logits(logits, block.labels)
        sums = metrics.objective_sums(self.loss_sum, logits, block.labels)
        if with_metrics:
            what = (self.num_classes, self.per_class, self.metrics, self.targets)
            sums |= metrics.batch_sums(self.loss, logits, block.labels, *what)
        return sums["objective"], (sums, model_state)

    def _require_logits(self, logits: jax.Array, labels: jax.Array) -> None:
        """Refuse a model whose outputs are not those of the classes: losses would be NaN."""
        examples = labels.shape[:-1] if are_vectors(labels) else labels.shape
        expected = (*examples, self.num_classes)
        if logits.shape != expected:
            raise OptexpError(
                f"The model gives logits of shape {logits.shape} for labels of shape "
                f"{labels.shape} in {self.num_classes} classes: it gives {expected}, one logit for "
                "each class of each label.",
                code="logits-of-wrong-shape",
                logits=logits.shape,
                labels=labels.shape,
                num_classes=self.num_classes,
            )


def _divisor(sums: Sums) -> jax.Array:
    # A batch whose weights are all zero has loss and gradient zero, not NaN.
    return jnp.where(sums["weight"] > 0, sums["weight"], 1)


def _over_blocks(
    one: Callable[[Any, Batch, jax.Array], tuple[Any, Sums, Any]],
    model_state: Any,
    batch: Batch,
    key: jax.Array,
    devices: int,
) -> tuple[Any, Sums, Any]:
    """Run `one` on every block: the model state is carried, sums and gradients are added.

    Sums are compensated; gradients are not, to keep one copy of them only. Several devices take
    the blocks in turn; those past the end are all padding.
    """
    batch = batch.shared_by(devices)
    if batch.num_blocks == 1:
        return one(model_state, batch.block(0), key)
    first = batch.block(0)
    _, sum_shapes, grad_shapes = jax.eval_shape(one, model_state, first, key)

    def body(carry, turn):
        model_state, sums, grads = carry
        number = turn * devices + jax.lax.axis_index(DATA) if devices > 1 else turn
        block, block_key = batch.block(number), jax.random.fold_in(key, number)
        model_state, new_sums, new_grads = one(model_state, block, block_key)
        grads = jax.tree.map(jnp.add, grads, new_grads)
        return (model_state, metrics.add(sums, new_sums), grads), None

    start = (model_state, metrics.zeros(sum_shapes), metrics.zeros(grad_shapes)[0])
    turns = jnp.arange(-(-batch.num_blocks // devices))
    (model_state, (sums, _), grads), _ = jax.lax.scan(body, start, turns)
    if devices > 1:
        sums, grads = jax.lax.psum((sums, grads), DATA)
    return model_state, sums, grads
