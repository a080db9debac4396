"""Batches: examples on the devices in blocks, and the order of mini-batches in an epoch."""

from __future__ import annotations

import dataclasses
from typing import Any
from zlib import crc32

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.datasets.data import Split
from optexp_jax.numerics import key_of
from optexp_jax.targets import are_vectors, as_stored, padding_of


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Batch:
    """Examples, processed in blocks of equal size.

    Args:
        inputs: `[n, ...]`, in the stored type.
        labels: integers `[n]` or `[n, time]`, -1 for padding; or vectors, floats
            `[n, outputs]`, NaN for padding.
        size: examples per block, at most n.
    """

    inputs: jax.Array
    labels: jax.Array
    size: int = dataclasses.field(metadata={"static": True})

    def head(self, number: int) -> Batch:
        """Return the first `number` examples."""
        return Batch(self.inputs[:number], self.labels[:number], min(self.size, number))

    def shared_by(self, devices: int) -> Batch:
        """Return the same examples in blocks so small that every device has at least one."""
        return dataclasses.replace(self, size=min(self.size, -(-len(self.labels) // devices)))

    @property
    def num_blocks(self) -> int:
        """Number of blocks that hold all examples."""
        return -(-len(self.labels) // self.size)

    def start_of(self, number: jax.Array | int) -> jax.Array:
        """Return the index of the first example of block `number`."""
        return jnp.minimum(number * self.size, len(self.labels) - self.size)

    def block(self, number: jax.Array | int) -> Batch:
        """Return block `number`, with class labels in int32.

        All blocks have the same length. The last block therefore starts with examples of the block
        before it, which are marked as padding; no example is copied. A block past the end, for a
        device without work, is all padding.
        """
        if self.num_blocks == 1 and isinstance(number, int):
            return dataclasses.replace(self, labels=as_stored(self.labels))
        start = self.start_of(number)
        inputs, labels = (
            jax.lax.dynamic_slice_in_dim(array, start, self.size)
            for array in (self.inputs, self.labels)
        )
        new = start + jnp.arange(self.size) >= number * self.size
        return Batch(inputs, _masked(labels, new), self.size)


def to_batch(split: Split, size: int | None, dtype: np.dtype | type) -> Batch:
    """Return a split as a batch.

    Arrays that already have the right type are not copied and stay on the host. Integers keep
    their type, since large integer inputs are stored in a small one.

    Args:
        split: inputs and labels.
        size: examples per block; None for one block.
        dtype: type of floating-point inputs and of vector labels.
    """
    inputs: Any = split.inputs
    if jnp.issubdtype(inputs.dtype, jnp.floating) and inputs.dtype != dtype:
        inputs = inputs.astype(dtype)
    labels: Any = split.labels
    if are_vectors(labels) and labels.dtype != dtype:
        labels = labels.astype(dtype)
    return Batch(inputs, labels, min(size or len(split), len(split)))


def as_inputs(stored: jax.Array) -> jax.Array:
    """Convert stored inputs to inputs of a model: integers, such as tokens, become int32."""
    return stored.astype(jnp.int32) if jnp.issubdtype(stored.dtype, jnp.integer) else stored


def named_key(seed: int | jax.Array, name: str) -> jax.Array:
    """Return the random key of one use of a seed: `params`, `order` or `dropout`."""
    return jax.random.fold_in(key_of(seed), crc32(name.encode()))


def epoch_order(
    key: jax.Array, epoch: jax.Array | int, num_examples: int, shuffle: bool
) -> jax.Array:
    """Return the order of the examples in an epoch.

    Args:
        key: random key of the order, the same in all epochs.
        epoch: number of the epoch, from 0.
        num_examples: number of training examples.
        shuffle: whether to permute the examples.

    Returns:
        indices of examples, int32 `[num_examples]`.
    """
    order = jnp.arange(num_examples, dtype=jnp.int32)
    if not shuffle:
        return order
    return jax.random.permutation(jax.random.fold_in(key, epoch), order)


def take_batch(
    examples: Batch, order: jax.Array, index: jax.Array, size: int, micro_batch: int | None
) -> Batch:
    """Return one mini-batch of an epoch, in blocks of `micro_batch` examples.

    Args:
        examples: the training data.
        order: order of the examples in the epoch, `[num_examples]`.
        index: number of the mini-batch in the epoch, from 0.
        size: examples per mini-batch.
        micro_batch: examples per block; None for one block.

    Returns:
        a batch of `size` examples; those past the end of the epoch are padding.
    """
    positions = jnp.arange(size, dtype=jnp.int32) + index * size
    chosen = order[jnp.minimum(positions, len(order) - 1)]
    labels = _masked(examples.labels[chosen], positions < len(order))
    return Batch(examples.inputs[chosen], labels, min(micro_batch or size, size))


def _masked(labels: jax.Array, kept: jax.Array) -> jax.Array:
    """Replace the labels of examples that are not kept by padding."""
    kept = kept.reshape(-1, *[1] * (labels.ndim - 1))
    return jnp.where(kept, as_stored(labels), padding_of(labels))
