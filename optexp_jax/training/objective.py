"""Compute the objective, its gradient and its metrics over a batch, in blocks."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

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
from optexp_jax.training.sharding import gathered, spec_of
from optexp_jax.training.tiles import rows_of_tile, sums_in_tiles

Params = dict[str, jax.Array]


class Draw(NamedTuple):
    """The random numbers of a block of examples.

    Args:
        key: random key of the step.
        first: index of the first example of the block in the batch.
    """

    key: jax.Array
    first: jax.Array | int = 0

    def keys(self, number: int) -> jax.Array:
        """Return a key for each example, `[number]`, which does not depend on the blocks."""
        indices = self.first + jnp.arange(number)
        return jax.vmap(jax.random.fold_in, (None, 0))(self.key, indices)


@dataclasses.dataclass(frozen=True)
class Objective:
    """Mean loss plus penalty of a model, as pure functions of its parameters.

    Args:
        model: the functions of the model.
        loss: the loss whose unweighted form is recorded.
        loss_sum: (logits, labels) -> (weighted sum, sum of weights) of the optimised loss.
        l2: coefficient of the penalty ½ ‖w‖².
        num_classes: number of classes.
        per_class: whether to sum metrics by class, too.
        to_inputs: stored inputs -> inputs of the model.
        devices: number of devices that share the blocks of a batch, on the mesh axis `data`.
        metrics: metrics that are recorded beside loss and accuracy.
        targets: kind of labels, see `optexp_jax.targets`.
        axes: path -> axis of the parameters that are sharded over these devices (FSDP).
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
    axes: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def value(self, sums: Sums, params: Params) -> jax.Array:
        """Return the objective from the sums of a batch, a scalar."""
        return sums["objective"] / _divisor(sums) + self.penalty(params)

    def penalty(self, params: Params) -> jax.Array:
        """Return the penalty l2 / 2 · ‖w‖²."""
        if not self.l2:
            return jnp.zeros(())
        return self.l2 / 2 * optax.tree.norm(params, squared=True)

    def evaluate(self, params: Params, frozen: Params, model_state: Any, batch: Batch) -> Sums:
        """Sum the objective and the metrics over all blocks, in evaluation mode."""

        def one(*where: Any) -> tuple[Any, Sums, Any]:
            _, (sums, _) = self.block_value(*where, train=False, with_metrics=True)
            return model_state, sums, {}

        return self._over_blocks(one, params, frozen, model_state, batch, jax.random.key(0))[1]

    def training_value(
        self, params: Params, frozen: Params, model_state: Any, batch: Batch, key: jax.Array
    ) -> jax.Array:
        """Return the objective over all blocks in training mode, for a line search."""

        def one(*where: Any) -> tuple[Any, Sums, Any]:
            _, (sums, state) = self.block_value(*where, train=True, with_metrics=False)
            return state, sums, {}

        sums = self._over_blocks(one, params, frozen, model_state, batch, key)[1]
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
        """Compute the gradient of the objective over all blocks.

        Args:
            params: trained parameters, path -> array.
            frozen: frozen parameters, path -> array.
            model_state: running statistics.
            batch: the examples, in blocks.
            key: random key of the step.
            with_metrics: whether to sum the metrics, too.

        Returns:
            path -> gradient, the sums over the batch, and the new model state.
        """
        block_gradient = jax.grad(self.block_value, has_aux=True)

        def one(*where: Any) -> tuple[Any, Sums, Params]:
            grads, (sums, state) = block_gradient(*where, True, with_metrics)
            return state, sums, grads

        where = (params, frozen, model_state, batch, key)
        model_state, sums, grads = self._over_blocks(one, *where, with_gradient=True)
        grads = jax.tree.map(lambda g: g / _divisor(sums).astype(g.dtype), grads)
        if self.l2:
            grads = jax.tree.map(lambda g, p: g + self.l2 * p, grads, params)
        return grads, sums, model_state

    def _over_blocks(
        self,
        one: _OfBlock,
        params: Params,
        frozen: Params,
        model_state: Any,
        batch: Batch,
        key: jax.Array,
        with_gradient: bool = False,
    ) -> tuple[Any, Sums, Params]:
        """Apply `one` to every block, on all devices."""
        where = (params, frozen, model_state, batch, key)
        if not self.axes:
            return _over_blocks(one, *where, devices=self.devices)
        local = functools.partial(_over_blocks, one, devices=self.devices, in_parts=self.axes)
        trained, others = (self._specs(tree) for tree in (params, frozen))
        # Each device computes this part on its own; the rest of a step is for whole leaves.
        return jax.shard_map(
            local,
            axis_names={DATA},
            in_specs=(trained, others, jax.P(), jax.P(), jax.P()),
            out_specs=(jax.P(), jax.P(), trained if with_gradient else {}),
            check_vma=False,
        )(*where)

    def _specs(self, params: Params) -> dict[str, jax.P]:
        shapes = {path: leaf.shape for path, leaf in params.items()}
        return {path: spec_of(shape, self.devices) for path, shape in shapes.items()}

    def block_value(
        self,
        params: Params,
        frozen: Params,
        model_state: Any,
        block: Batch,
        draw: Draw,
        train: bool,
        with_metrics: bool,
    ) -> tuple[jax.Array, tuple[Sums, Any]]:
        """Sum the loss over one block; auxiliary outputs are all sums and the model state."""
        inputs = self.to_inputs(block.inputs)
        params = merge(gathered(params, self.axes), gathered(frozen, self.axes))
        where = (params, model_state, inputs, draw, train)

        def sums_of(logits: jax.Array, labels: jax.Array) -> Sums:
            self._require_logits(logits, labels)
            return self._sums_of(logits, labels, with_metrics)

        model, size = self.model, self._rows_of_tile(block.labels)
        if size is None or model.trunk is None or model.head is None:
            logits, model_state = self._applied(model.apply, *where)
            sums = sums_of(logits, block.labels)
        else:
            hidden, model_state = self._applied(model.trunk, *where)
            head = functools.partial(model.head, params)
            sums = sums_in_tiles(sums_of, head, hidden, block.labels, size)
        return sums["objective"], (sums, model_state)

    def _sums_of(self, logits: jax.Array, labels: jax.Array, with_metrics: bool) -> Sums:
        sums = metrics.objective_sums(self.loss_sum, logits, labels)
        if with_metrics:
            what = (self.num_classes, self.per_class, self.metrics, self.targets)
            sums |= metrics.batch_sums(self.loss, logits, labels, *what)
        return sums

    def tile_bytes(self, labels: jax.Array) -> int:
        """Return the bytes of the logits of a tile; 0 if all logits are computed at once."""
        size = self._rows_of_tile(labels)
        return 4 * self.num_classes * size if size and self.model.trunk else 0

    def _rows_of_tile(self, labels: jax.Array) -> int | None:
        if are_vectors(labels):
            return None
        return rows_of_tile(labels.size, 4 * self.num_classes)

    def _applied(
        self,
        function: Callable[..., tuple[jax.Array, Any]],
        params: Any,
        model_state: Any,
        inputs: jax.Array,
        draw: Draw,
        train: bool,
    ) -> tuple[jax.Array, Any]:
        """Apply a function of the model; each example has its own random numbers."""
        if not train or self.model.modes_coincide or jax.tree.leaves(model_state):
            key = jax.random.fold_in(draw.key, draw.first)
            return function(params, model_state, inputs, {"dropout": key}, train)

        def one(example: jax.Array, key: jax.Array) -> jax.Array:
            return function(params, model_state, example[None], {"dropout": key}, train)[0][0]

        return jax.vmap(one)(inputs, draw.keys(len(inputs))), model_state

    def _require_logits(self, logits: jax.Array, labels: jax.Array) -> None:
        """Refuse logits that are not one per class and label: losses would be NaN."""
        examples = labels.shape[:-1] if are_vectors(labels) else labels.shape
        expected = (*examples, self.num_classes)
        if logits.shape != expected:
            raise OptexpError(
                f"The model returns logits of shape {logits.shape} for labels of shape "
                f"{labels.shape} in {self.num_classes} classes: it should return {expected}, one "
                "logit for each class of each label.",
                code="logits-of-wrong-shape",
                logits=logits.shape,
                labels=labels.shape,
                num_classes=self.num_classes,
            )


def _divisor(sums: Sums) -> jax.Array:
    # A batch whose weights are all zero has loss and gradient zero, not NaN.
    return jnp.where(sums["weight"] > 0, sums["weight"], 1)


# (params, frozen, model_state, block, draw) -> (model_state, sums, gradient)
_OfBlock = Callable[..., tuple[Any, Sums, Any]]


def _over_blocks(
    one: _OfBlock,
    params: Params,
    frozen: Params,
    model_state: Any,
    batch: Batch,
    key: jax.Array,
    devices: int,
    in_parts: Collection[str] = (),
) -> tuple[Any, Sums, Any]:
    """Apply `one` to every block: carry the model state, and add sums and gradients.

    Sums are compensated (Kahan). Gradients are not, so that memory holds one copy of them. Several
    devices take the blocks in turn; blocks past the end are all padding. Gradients of the sharded
    parameters, which `in_parts` names, are already sums over the devices.
    """
    batch = batch.shared_by(devices)
    if batch.num_blocks == 1 and not in_parts:
        return one(params, frozen, model_state, batch.block(0), Draw(key))
    _, sum_shapes, grad_shapes = jax.eval_shape(
        one, params, frozen, model_state, batch.block(0), Draw(key)
    )

    def body(carry, turn):
        model_state, sums, grads = carry
        number = turn * devices + jax.lax.axis_index(DATA) if devices > 1 else turn
        block, draw = batch.block(number), Draw(key, batch.start_of(number))
        model_state, new_sums, new_grads = one(params, frozen, model_state, block, draw)
        grads = jax.tree.map(jnp.add, grads, new_grads)
        return (model_state, metrics.add(sums, new_sums), grads), None

    start = (model_state, metrics.zeros(sum_shapes), metrics.zeros(grad_shapes)[0])
    turns = jnp.arange(-(-batch.num_blocks // devices))
    (model_state, (sums, _), grads), _ = jax.lax.scan(body, start, turns)
    if devices > 1:
        added = {path: g for path, g in dict(grads).items() if path in in_parts}
        alone = {path: g for path, g in dict(grads).items() if path not in in_parts}
        sums, alone = jax.lax.psum((sums, alone), DATA)
        grads = added | alone
    return model_state, sums, grads
