"""Fixed positions of tokens and of patches, and embeddings of tokens."""

from __future__ import annotations

import jax
import numpy as np


def sinusoidal_positions(length: int, width: int) -> np.ndarray:
    """p_{t, 2i} = sin(t / 10000^{2i / width}) and p_{t, 2i+1} = cos of the same.

    Args:
        length: number of positions.
        width: of each.

    Returns:
        float64 `[length, width]`.

    >>> sinusoidal_positions(2, 4).round(3)
    array([[0.   , 1.   , 0.   , 1.   ],
           [0.841, 0.54 , 0.01 , 1.   ]])

    Source: Vaswani et al., Attention is all you need, 2017, section 3.5.
    """
    even = np.arange(0, width, 2)
    angles = np.arange(length)[:, None] / 10_000.0 ** (even / width)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, -1)[:, :width]


def positions_in_plane(rows: int, columns: int, width: int) -> np.ndarray:
    """Sines and cosines of both coordinates at frequencies 10000^{-i / (width/4 - 1)}.

    Args:
        rows: number of rows.
        columns: number of columns.
        width: of each position, a multiple of 4.

    Returns:
        float64 `[rows * columns, width]`, row by row.

    >>> positions_in_plane(1, 2, 4).round(3)
    array([[0.   , 1.   , 0.   , 1.   ],
           [0.841, 0.54 , 0.   , 1.   ]])
    """
    frequencies = 10_000.0 ** -(np.arange(width // 4) / max(1, width // 4 - 1))
    row, column = (
        axis.reshape(-1, 1) * frequencies
        for axis in np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    )
    parts = [np.sin(column), np.cos(column), np.sin(row), np.cos(row)]
    return np.concatenate(parts, axis=1)


def embed(table: jax.Array, tokens: jax.Array, positions: bool) -> jax.Array:
    """Rows of a table · √width, plus sinusoidal positions where they are wanted.

    Args:
        table: `[vocabulary, width]`.
        tokens: `[n, time]`.
        positions: whether positions are added.

    Returns:
        `[n, time, width]`.
    """
    width = table.shape[-1]
    inputs = table[tokens.astype("int32")] * width**0.5
    if positions:
        inputs += sinusoidal_positions(tokens.shape[1], width).astype(inputs.dtype)
    return inputs
