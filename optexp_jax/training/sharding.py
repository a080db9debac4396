"""FSDP: parameters, gradients and optimizer states of a run, in parts on the devices of the run.

What decides is the shape of a leaf alone, so a parameter, its gradient and its moments are cut
alike. The loss is computed where each device has all parameters, gathered for a block of examples;
the rest of a step is written for whole leaves, and XLA cuts it as its inputs are. So every
optimizer works, those too that take norms over all leaves or matrix products of one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from optexp_jax.training.devices import DATA

# Numbers of a leaf: to gather a smaller one takes longer than it saves.
_LEAST = 2**14


def axis_of(shape: tuple[int, ...], devices: int) -> int | None:
    """The axis along which devices share a leaf, the longest that they divide.

    None for a leaf that stays whole: a small one, or one that cannot be cut evenly.

    >>> axis_of((768, 50_608), 4), axis_of((50_257, 767), 4), axis_of((768,), 4)
    (1, None, None)
    """
    even = [axis for axis, length in enumerate(shape) if length % devices == 0]
    if devices == 1 or math.prod(shape) < _LEAST or not even:
        return None
    return max(even, key=lambda axis: shape[axis])


def spec_of(shape: tuple[int, ...], devices: int, *before: str | None) -> jax.P:
    """How a leaf is spread over the axis `data` of a mesh.

    Args:
        shape: of the leaf.
        devices: that share it.
        before: the mesh axes of what comes before the axes of the leaf, such as runs.
    """
    axis = axis_of(shape, devices)
    return jax.P(*before, *(() if axis is None else (None,) * axis + (DATA,)))


def kept(tree: Any, devices: int) -> Any:
    """The same tree of whole leaves, with a hint to XLA that devices share them."""

    def one(leaf: jax.Array) -> jax.Array:
        if axis_of(leaf.shape, devices) is None:
            return leaf
        return jax.lax.with_sharding_constraint(leaf, spec_of(leaf.shape, devices))

    return jax.tree.map(one, tree)


def axes_of(params: Mapping[str, Any], devices: int) -> dict[str, int]:
    """The axes along which devices share parameters, of those that they share."""
    axes = {path: axis_of(leaf.shape, devices) for path, leaf in params.items()}
    return {path: axis for path, axis in axes.items() if axis is not None}


def gathered(params: Mapping[str, jax.Array], axes: Mapping[str, int]) -> dict[str, jax.Array]:
    """Whole parameters from the parts of all devices; their gradient is in parts, summed over all.

    Args:
        params: path -> part, where a device computes by itself (`jax.shard_map` over `data`).
        axes: path -> axis of those that are in parts.
    """

    def whole(path: str, leaf: jax.Array) -> jax.Array:
        if path not in axes:
            return leaf
        return jax.lax.all_gather(leaf, DATA, axis=axes[path], tiled=True)

    return {path: whole(path, leaf) for path, leaf in params.items()}


def bytes_on_one(shape: tuple[int, ...], dtype: Any, devices: int) -> int:
    """Bytes of a leaf on one of the devices that share it."""
    whole = math.prod(shape) * np.dtype(dtype).itemsize
    return whole if axis_of(shape, devices) is None else whole // devices
