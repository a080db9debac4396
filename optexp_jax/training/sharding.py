"""FSDP: shard parameters, gradients and optimizer states of a run over its devices.

The sharding of a leaf depends only on its shape, so a parameter, its gradient and its moments are
sharded alike. To compute the loss of a block of examples, each device gathers all parameters. The
rest of a step is written for whole leaves, and XLA partitions it like its inputs. So every
optimizer works, also one that takes norms over all leaves or matrix products of a leaf.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from optexp_jax.training.devices import DATA

# Fewest elements of a sharded leaf: gathering a smaller one costs more than it saves.
_LEAST = 2**14


def axis_of(shape: tuple[int, ...], devices: int) -> int | None:
    """Return the axis along which a leaf is sharded: the longest one that devices divide.

    Args:
        shape: shape of the leaf.
        devices: number of devices.

    Returns:
        the axis; None for a leaf that stays whole, since it is small or has no such axis.

    >>> axis_of((768, 50_608), 4), axis_of((50_257, 767), 4), axis_of((768,), 4)
    (1, None, None)
    """
    even = [axis for axis, length in enumerate(shape) if length % devices == 0]
    if devices == 1 or math.prod(shape) < _LEAST or not even:
        return None
    return max(even, key=lambda axis: shape[axis])


def spec_of(shape: tuple[int, ...], devices: int, *before: str | None) -> jax.P:
    """Return the partition spec of a leaf over the axis `data` of a mesh.

    Args:
        shape: shape of the leaf.
        devices: number of devices that share it.
        before: mesh axes for the array axes before those of the leaf, such as runs.
    """
    axis = axis_of(shape, devices)
    return jax.P(*before, *(() if axis is None else (None,) * axis + (DATA,)))


def kept(tree: Any, devices: int) -> Any:
    """Constrain XLA to shard the leaves of a tree over devices."""

    def one(leaf: jax.Array) -> jax.Array:
        if axis_of(leaf.shape, devices) is None:
            return leaf
        return jax.lax.with_sharding_constraint(leaf, spec_of(leaf.shape, devices))

    return jax.tree.map(one, tree)


def axes_of(params: Mapping[str, Any], devices: int) -> dict[str, int]:
    """Return path -> axis of the sharded parameters."""
    axes = {path: axis_of(leaf.shape, devices) for path, leaf in params.items()}
    return {path: axis for path, axis in axes.items() if axis is not None}


def gathered(params: Mapping[str, jax.Array], axes: Mapping[str, int]) -> dict[str, jax.Array]:
    """Gather whole parameters from the shards of all devices, inside `jax.shard_map` over `data`.

    Their gradients are sharded, and summed over all devices.

    Args:
        params: path -> shard on this device.
        axes: path -> axis of the sharded parameters.
    """

    def whole(path: str, leaf: jax.Array) -> jax.Array:
        if path not in axes:
            return leaf
        return jax.lax.all_gather(leaf, DATA, axis=axes[path], tiled=True)

    return {path: whole(path, leaf) for path, leaf in params.items()}


def bytes_on_one(shape: tuple[int, ...], dtype: Any, devices: int) -> int:
    """Return the bytes of a leaf on one of the devices that share it."""
    whole = math.prod(shape) * np.dtype(dtype).itemsize
    return whole if axis_of(shape, devices) is None else whole // devices
