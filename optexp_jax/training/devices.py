"""The devices of a pack, in this process or in several that train it together.

All processes make the same calls in the same order. So whatever depends on a clock is decided by
the first process, see `agreed`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from optexp_jax.errors import OptexpError

RUN, DATA = "run", "data"


def used() -> list[Any]:
    """Return the devices that train packs: those of all processes."""
    return jax.devices()


def of_host() -> Any:
    """Return the CPU of this process as a device; its first device if JAX has no CPU backend."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return jax.local_devices()[0]


def mesh_of(per_run: int, chosen: Sequence[Any] | None = None) -> jax.sharding.Mesh:
    """Return a mesh of devices with the axes `run` and `data`.

    It has all devices even for few runs, since programs for one device and for several round
    differently.

    Args:
        per_run: number of devices that share a run.
        chosen: devices of the mesh; None for all.

    Returns:
        a mesh of shape `(len(devices) // per_run, per_run)`.

    Raises:
        OptexpError: the number of devices is not a multiple of `per_run`.
    """
    devices = used() if chosen is None else chosen
    if len(devices) % per_run:
        raise OptexpError(
            f"Runs of {per_run} devices each cannot share {len(devices)} devices: set "
            "--devices-per-run to a divisor of their number.",
            code="devices-not-shareable",
            devices=len(devices),
            per_run=per_run,
        )
    shape = (len(devices) // per_run, per_run)
    types = (jax.sharding.AxisType.Auto,) * 2
    return jax.make_mesh(shape, (RUN, DATA), axis_types=types, devices=devices)


def fetch(tree: Any) -> Any:
    """Copy the arrays of a tree to the host, also from devices of other processes."""
    if jax.process_count() == 1:
        return jax.device_get(tree)
    leaves, structure = jax.tree.flatten(tree)
    far = [i for i, leaf in enumerate(leaves) if not getattr(leaf, "is_fully_addressable", True)]
    if far:
        near = _everywhere(leaves[far[0]].sharding.mesh)([leaves[i] for i in far])
        for i, leaf in zip(far, near, strict=True):
            leaves[i] = leaf.addressable_data(0)
    return structure.unflatten(jax.device_get(leaves))


@functools.cache
def _everywhere(mesh: jax.sharding.Mesh) -> Any:
    """Return a function that copies arrays to all devices of a mesh."""
    return jax.jit(lambda arrays: arrays, out_shardings=jax.NamedSharding(mesh, jax.P()))


def agreed(value: int) -> int:
    """Return the value of the first process; every process must call this."""
    if jax.process_count() == 1:
        return value
    return int(multihost_utils.broadcast_one_to_all(np.int32(value)))
