"""Choose the runs of a pack and the examples of a pass so that they fit into device memory."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import jax

from optexp_jax.datasets.data import Data
from optexp_jax.errors import OptexpError
from optexp_jax.registry import is_ours
from optexp_jax.training.memory import estimate, has_batch_statistics, holds_rate_of
from optexp_jax.training.modes import Auto
from optexp_jax.training.pack import Pack, by_rate

# Margin for errors of estimates and allocators.
_SHARE = 0.8
_GIB = 2**30


def device_memory() -> int:
    """Return the bytes of one device that packs may use: of a GPU, or of free host memory."""
    stats = jax.local_devices()[0].memory_stats() or {}
    limit = stats.get("bytes_limit")
    return int(_SHARE * (limit if limit else _free_memory() / jax.local_device_count()))


def _free_memory() -> int:
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def split_to_fit(
    pack: Pack, data: Data, runs: int | Auto, micro_batch: int | Auto | None, memory: int
) -> list[Pack]:
    """Split a pack into packs that fit into memory.

    Args:
        pack: runs that share a program.
        data: their data, or only its shapes.
        runs: most runs of a pack; `auto` for as many as fit.
        micro_batch: examples per forward and backward pass; None for the whole batch. `auto` is
            the whole batch if it fits with one run, else the largest of its half, quarter, ... that
            fits. Models with batch statistics always take the whole batch.
        memory: bytes of one device.

    Returns:
        packs of consecutive runs.

    Raises:
        OptexpError: not even one run with one example per pass fits.
    """
    if micro_batch == "auto":
        micro_batch = _micro_batch(pack, data, memory)
    whole = dataclasses.replace(pack, micro_batch=micro_batch)
    found = []
    for part in _sharing_programs(whole, data):
        most = _most_runs(part, data, memory) if runs == "auto" else runs
        found += [
            dataclasses.replace(part, experiments=part.experiments[i : i + most])
            for i in range(0, len(part.experiments), most)
        ]
    return found


def _sharing_programs(pack: Pack, data: Data) -> list[Pack]:
    """Split a pack by learning rate if a user's optimizer compiles it in as a constant."""
    optimizers = {e.optimizer for e in pack.experiments}
    if len(optimizers) == 1 or all(is_ours(type(optimizer)) for optimizer in optimizers):
        return [pack]
    return [pack] if holds_rate_of(pack, data) else by_rate(pack)


def _micro_batch(pack: Pack, data: Data, memory: int) -> int | None:
    """Return None if the whole batch fits, else the size of the largest part of it that fits."""
    one = dataclasses.replace(pack, experiments=pack.experiments[:1])
    # Batch statistics are those of a pass: micro-batches would change more than the rounding.
    if _needed(one, data) <= memory or has_batch_statistics(one, data):
        return None
    size = pack.experiments[0].problem.batching.batch_size(len(data.train))
    while size > 1:
        size = -(-size // 2)
        if _needed(dataclasses.replace(one, micro_batch=size), data) <= memory:
            return size
    raise OptexpError(
        f"One run needs about {_needed(one, data) / _GIB:.1f} GiB for a whole batch and does not "
        f"fit in parts either: the device has {memory / _GIB:.1f} GiB. Use a larger device, or a "
        "smaller problem.",
        code="device-too-small",
        memory=memory,
    )


def _most_runs(pack: Pack, data: Data, memory: int) -> int:
    """Return the most runs that fit, at least one."""
    runs = pack.experiments
    parts = (dataclasses.replace(pack, experiments=runs[:n]) for n in range(len(runs), 1, -1))
    return next((len(p.experiments) for p in parts if _needed(p, data) <= memory), 1)


def _needed(pack: Pack, data: Data) -> int:
    return estimate(pack, data).total
