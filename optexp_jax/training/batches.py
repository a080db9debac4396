"""Examples on the devices, worked through in blocks, and the order of mini-batches."""

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
    """Examples that are worked through in blocks of equal size.

    Args:
        inputs: `[n, ...]`, in the type they are stored in.
        labels: integers `[n]` or `[n, time]`, -1 for padding; or vectors, floats
            `[n, outputs]`, NaN for padding.
        size: examples per block, at most n.
    """

    inputs: jax.Array
    labels: jax.Array
    size: int = dataclasses.field(metadata={"static": True})

    def head(self, number: int) -> Batch:
        """The first examples."""
        return Batch(self.inputs[:number], self.labels[:number], min(self.size, number))

    def shared_by(self, devices: int) -> Batch:
        """The same examples in blocks small enough for every device to have one."""
        return dataclasses.replace(self, size=min(self.size, -(-len(self.labels) // devices)))

    @property
    def num_blocks(self) -> int:
        """Blocks that hold every example."""
        return -(-len(self.labels) // self.size)

    def start_of(self, number: jax.Array | int) -> jax.Array:
        """Index of the first example of block `number`."""
        return jnp.minimum(number * self.size, len(self.labels) - self.size)

    def block(self, number: jax.Array | int) -> Batch:
        """Block `number`, its labels int32.

        The last block is as long as the others: it begins with examples of the block before it,
        marked as padding. The examples themselves are neither padded nor copied. A block past the
        end, of devices that have nothing to do, is all padding.
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
    """A split in blocks of `size` examples (None: one block), floats in `dtype`.

    Nothing is copied that has its type already: arrays of the host stay there, until the whole is
    put on the devices. Integers keep their type, which is small where there are many of them.
    """
    inputs: Any = split.inputs
    if jnp.issubdtype(inputs.dtype, jnp.floating) and inputs.dtype != dtype:
        inputs = inputs.astype(dtype)
    labels: Any = split.labels
    if are_vectors(labels) and labels.dtype != dtype:
        labels = labels.astype(dtype)
    return Batch(inputs, labels, min(size or len(split), len(split)))


def as_inputs(stored: jax.Array) -> jax.Array:
    """Stored inputs as a model takes them: integers, such as tokens, as int32."""
    return stored.astype(jnp.int32) if jnp.issubdtype(stored.dtype, jnp.integer) else stored


def named_key(seed: int | jax.Array, name: str) -> jax.Array:
    """A key for one use (`params`, `order`, `dropout`) of a seed."""
    return jax.random.fold_in(key_of(seed), crc32(name.encode()))


def epoch_order(
    key: jax.Array, epoch: jax.Array | int, num_examples: int, shuffle: bool
) -> jax.Array:
    """Order of the examples in an epoch, int32 `[num_examples]`; a function of key and epoch."""
    order = jnp.arange(num_examples, dtype=jnp.int32)
    if not shuffle:
        return order
    return jax.random.permutation(jax.random.fold_in(key, epoch), order)


def take_batch(
    examples: Batch, order: jax.Array, index: jax.Array, size: int, micro_batch: int | None
) -> Batch:
    """Mini-batch number `index` of an epoch, in blocks of `micro_batch` examples.

    Args:
        examples: the training data.
        order: order of the examples in the epoch, `[num_examples]`.
        index: number of the batch in the epoch.
        size: examples per mini-batch.
        micro_batch: examples per block, None for one block.

    Returns:
        `size` examples; past the end of the epoch they are padding.
    """
    positions = jnp.arange(size, dtype=jnp.int32) + index * size
    chosen = order[jnp.minimum(positions, len(order) - 1)]
    labels = _masked(examples.labels[chosen], positions < len(order))
    return Batch(examples.inputs[chosen], labels, min(micro_batch or size, size))


def _masked(labels: jax.Array, kept: jax.Array) -> jax.Array:
    """Labels, padding for the examples that are not kept."""
    kept = kept.reshape(-1, *[1] * (labels.ndim - 1))
    return jnp.where(kept, as_stored(labels), padding_of(labels))
