"""Losses of large vocabularies, in tiles of rows that never hold all logits at once.

The logits of 16 texts of 1,024 tokens over 50,257 words take 3.3 GB, their gradient as much again.
Here a tile of rows goes through the last layer and the loss at a time, and once more in the
backward pass: a fifth more time for a part of the memory.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from optexp_jax.training import metrics
from optexp_jax.training.metrics import Sums

# Vocabularies of at least 16,384 words; for smaller ones, what is computed again costs more than it
# saves, as the last layer is a large part of their step.
_LARGE_ROW = 4 * 2**14
# Smaller logits are computed at once, as ever; larger ones in tiles of this size at most.
_AT_ONCE = 512 * 2**20
_TILE = 256 * 2**20


def rows_of_tile(rows: int, row_bytes: int) -> int | None:
    """Rows of a tile, so that all tiles are about equal; None to take all rows at once.

    Args:
        rows: labels of a micro-batch.
        row_bytes: of the logits of one row.

    >>> rows_of_tile(1000, 40_000), rows_of_tile(16 * 1024, 4 * 50_257)
    (None, 1261)
    """
    if row_bytes < _LARGE_ROW or rows * row_bytes <= _AT_ONCE:
        return None
    tiles = -(-rows * row_bytes // _TILE)
    return -(-rows // tiles)


def sums_in_tiles(
    sums_of: Callable[[jax.Array, jax.Array], Sums],
    head: Callable[[jax.Array], jax.Array],
    hidden: jax.Array,
    labels: jax.Array,
    size: int,
) -> Sums:
    """Sums over all rows, tile by tile; they and their gradient are those of all rows at once.

    Args:
        sums_of: (logits, labels) -> sums, to which padding (label -1) adds nothing.
        head: rows `[size, width]` -> logits `[size, num_classes]`.
        hidden: inputs of the head, `[n, time, width]`.
        labels: integers `[n, time]`.
        size: rows of a tile.
    """
    hidden, labels = hidden.reshape(-1, hidden.shape[-1]), labels.ravel()
    missing = -len(labels) % size
    tiles = (
        jnp.pad(hidden, ((0, missing), (0, 0))).reshape(-1, size, hidden.shape[-1]),
        jnp.pad(labels, (0, missing), constant_values=-1).reshape(-1, size),
    )

    def tile_sums(hidden: jax.Array, labels: jax.Array) -> Sums:
        return sums_of(head(hidden), labels)

    # What a tile keeps for the backward pass is its rows; a scan needs no guard against CSE.
    once_more = jax.checkpoint(tile_sums, prevent_cse=False)
    shapes = jax.eval_shape(tile_sums, *(part[0] for part in tiles))

    def add(total, tile):
        return metrics.add(total, once_more(*tile)), None

    return jax.lax.scan(add, metrics.zeros(shapes), tiles)[0][0]
