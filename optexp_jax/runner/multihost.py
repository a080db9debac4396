"""Train packs in several processes: the first decides and records, the others follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax

from optexp_jax.config import Settings
from optexp_jax.datasets.loading import loaded
from optexp_jax.experiment import Experiment
from optexp_jax.runner.checkpoint import read_checkpoint
from optexp_jax.runner.pack_run import PackPlan
from optexp_jax.runner.signals import StopFlag
from optexp_jax.training.compile_cache import persistent_compile_cache
from optexp_jax.training.loop import train_pack
from optexp_jax.training.multihost import broadcast
from optexp_jax.training.pack import Pack


def broadcast_plan(plan: PackPlan) -> None:
    """Send the pack that starts to the other processes."""
    if jax.process_count() == 1:
        return
    pack = plan.pack
    broadcast(
        {
            "experiments": [e.to_json() for e in pack.experiments],
            "how": pack.how,
            "source": plan.source and str(plan.source),
            "step": plan.checkpoint and plan.checkpoint.step,
        }
    )


def follow_first_process(settings: Settings) -> None:
    """Train the packs that the first process sends, without recording, until it sends None.

    Args:
        settings: the workspace to read data and checkpoints from.
    """
    # Signals are for the first process.
    with StopFlag(), persistent_compile_cache(settings.workspace):
        while (order := broadcast()) is not None:
            _follow_pack(order, settings.workspace)


def _follow_pack(order: Any, workspace: Path) -> None:
    members = tuple(Experiment.from_json(text) for text in order["experiments"])
    pack = Pack(members, **order["how"])
    data = loaded(members[0].problem.with_data_seed(members[0].seed).dataset, workspace)
    states, step = None, 0
    if order["source"]:
        checkpoint = read_checkpoint(Path(order["source"]), order["step"])
        assert checkpoint is not None
        states, step = checkpoint.select([e.id for e in members]), checkpoint.step
    for chunk in train_pack(pack, data, states, step):
        decided = broadcast()
        if decided["save"]:
            chunk.snapshot()
        if decided["stop"]:
            break
