"""The devices of a pack, of this process or of several that run it together.

Every process of several takes the same calls in the same order: what they decide by their clocks
is what the first one decides.
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
    """The devices that packs are spread over: those of all processes."""
    return jax.devices()


def of_host() -> Any:
    """The processor of this process; its own GPU if JAX was told to know nothing else."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return jax.local_devices()[0]


def mesh_of(per_run: int, chosen: Sequence[Any] | None = None) -> jax.sharding.Mesh:
    """All devices, so many of them for each run: axes `run` and `data`.

    All, also for few runs: programs for one device and for several round differently.

    Args:
        per_run: devices of a run.
        chosen: devices; None for all.

    Raises:
        OptexpError: their number is not a multiple of that.
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
    """The arrays of a tree on the host, those on devices of other processes, too."""
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
    """A function that copies arrays to all devices of a mesh."""
    return jax.jit(lambda arrays: arrays, out_shardings=jax.NamedSharding(mesh, jax.P()))


def agreed(value: int) -> int:
    """A number that the first process has decided."""
    if jax.process_count() == 1:
        return value
    return int(multihost_utils.broadcast_one_to_all(np.int32(value)))
