"""Data as equal blocks on the device, and the order of mini-batches."""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.datasets.data import Array, Split

PADDING = -1


class Blocks(NamedTuple):
    """A split cut into blocks of equal size, the last one padded with labels of -1.

    Args:
        inputs: `[blocks, size, ...]`.
        labels: int32 `[blocks, size]` or `[blocks, size, time]`.
    """

    inputs: jax.Array
    labels: jax.Array


def to_blocks(split: Split, size: int | None, dtype: np.dtype | type) -> Blocks:
    """Cut a split into blocks of `size` examples (None: one block), floats in `dtype`."""
    size = min(size or len(split), len(split))
    inputs = split.inputs
    if jnp.issubdtype(inputs.dtype, jnp.floating):
        inputs = inputs.astype(dtype)
    else:
        inputs = inputs.astype(np.int32)
    return Blocks(_cut(inputs, size, 0), _cut(split.labels.astype(np.int32), size, PADDING))


def _cut(array: Array, size: int, fill: int) -> jax.Array:
    missing = -len(array) % size
    if missing:
        pad = [(0, missing)] + [(0, 0)] * (array.ndim - 1)
        array = (jnp if isinstance(array, jax.Array) else np).pad(array, pad, constant_values=fill)
    return jnp.asarray(array.reshape(-1, size, *array.shape[1:]))


def named_key(seed: int, name: str) -> jax.Array:
    """A key for one use (`params`, `order`, `dropout`) of a seed."""
    return jax.random.fold_in(jax.random.key(seed), crc32(name.encode()))


def epoch_order(key: jax.Array, epoch: jax.Array, num_examples: int, shuffle: bool) -> jax.Array:
    """Order of the examples in an epoch, int32 `[num_examples]`; a function of key and epoch."""
    order = jnp.arange(num_examples, dtype=jnp.int32)
    if not shuffle:
        return order
    return jax.random.permutation(jax.random.fold_in(key, epoch), order)


def take_batch(
    blocks: Blocks, order: jax.Array, index: jax.Array, size: int, micro_batch: int | None
) -> Blocks:
    """Mini-batch number `index` of an epoch, in blocks of `micro_batch` examples.

    Args:
        blocks: the training data.
        order: order of the examples in the epoch, `[num_examples]`.
        index: number of the batch in the epoch.
        size: examples per mini-batch.
        micro_batch: examples per block, None for one block.

    Returns:
        `size` examples; past the end of the epoch they are padding.
    """
    micro = min(micro_batch or size, size)
    positions = jnp.arange(-(-size // micro) * micro, dtype=jnp.int32).reshape(-1, micro)
    inside = positions < size
    positions = positions + index * size
    inside &= positions < len(order)
    chosen = order[jnp.minimum(positions, len(order) - 1)]
    inputs = blocks.inputs.reshape(-1, *blocks.inputs.shape[2:])[chosen]
    labels = blocks.labels.reshape(-1, *blocks.labels.shape[2:])[chosen]
    inside = inside.reshape(*inside.shape, *[1] * (labels.ndim - inside.ndim))
    return Blocks(inputs, jnp.where(inside, labels, PADDING))
