"""Checkpoints of a pack, written by Orbax in the background and published by a rename."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from optexp_jax.errors import OptexpError

States = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """What a pack needs to go on.

    Args:
        step: steps taken.
        members: ids of the experiments, in the order of the first axis of the states.
        states: path of each leaf -> array `[runs, ...]`.
    """

    step: int
    members: tuple[str, ...]
    states: States

    def select(self, members: Sequence[str]) -> States:
        """The states of some of the members, in the order asked for."""
        index = [self.members.index(member) for member in members]
        return {path: leaf[index] for path, leaf in self.states.items()}


class CheckpointWriter:
    """Writes checkpoints of one pack into a folder, keeping the last two."""

    def __init__(self, folder: Path) -> None:
        import orbax.checkpoint as ocp  # a second to import, and short runs never need it

        self._ocp = ocp
        folder.mkdir(parents=True, exist_ok=True)
        policy = ocp.checkpoint_managers.LatestN(2)
        options = ocp.CheckpointManagerOptions(preservation_policy=policy, **_alone(ocp))
        self._manager = ocp.CheckpointManager(folder.absolute(), options=options)

    def save(self, checkpoint: Checkpoint) -> None:
        """Start to write a checkpoint; returns once the arrays need no longer stay as they are.

        What the folder holds of this step and later ones is damaged or of an earlier attempt.
        """
        for step in self._manager.all_steps():
            if step >= checkpoint.step:
                self._manager.delete(step)
        args = self._ocp.args
        paths = list(checkpoint.states)
        # Paths hold slashes, which the storage would take for folders, so leaves are numbered.
        leaves = {str(i): checkpoint.states[path] for i, path in enumerate(paths)}
        meta = {"step": checkpoint.step, "members": list(checkpoint.members), "paths": paths}
        self._manager.save(
            checkpoint.step,
            args=args.Composite(states=args.StandardSave(leaves), meta=args.JsonSave(meta)),
            force=True,
        )

    def wait(self) -> None:
        """Wait until the last checkpoint is on disk."""
        self._manager.wait_until_finished()

    def close(self) -> None:
        """Wait, and let go of the folder."""
        self._manager.close()


@contextlib.contextmanager
def checkpoint_writer(folder: Path) -> Iterator[CheckpointWriter]:
    """A writer that is closed at the end."""
    writer = CheckpointWriter(folder)
    try:
        yield writer
    finally:
        writer.close()


def _alone(ocp: Any) -> dict[str, Any]:
    """Options by which this process waits for no other one that runs the same pack."""
    if jax.process_count() == 1:
        return {"create": False}
    me = jax.process_index()
    processes = ocp.options.MultiprocessingOptions(
        primary_host=me, active_processes={me}, barrier_sync_key_prefix=f"process-{me}"
    )
    return {"create": False, "multiprocessing_options": processes}


def read_checkpoint(folder: Path, step: int | None = None) -> Checkpoint | None:
    """The newest readable checkpoint of a folder, None if there is none at all.

    Args:
        folder: that a `CheckpointWriter` wrote to.
        step: the checkpoint of this step only.

    Raises:
        OptexpError: there are checkpoints, but none can be read.
    """
    if not folder.is_dir():
        return None
    import orbax.checkpoint as ocp

    options = ocp.CheckpointManagerOptions(**_alone(ocp))
    manager = ocp.CheckpointManager(folder.absolute(), options=options)
    reason: Exception | None = None
    try:
        steps = [step] if step is not None else sorted(manager.all_steps(), reverse=True)
        for saved in steps:
            try:
                return _read(ocp, manager, saved)
            except Exception as error:  # Orbax and TensorStore raise many kinds for damaged files
                reason = error
    finally:
        manager.close()
    if reason is None:
        return None
    first_line = str(reason).strip().splitlines()[0][:200] if str(reason).strip() else repr(reason)
    raise OptexpError(
        f"No checkpoint in {folder} can be read ({first_line}): delete that folder to run its "
        "experiments again from their first step; their recorded rows stay."
    ) from reason


def _read(ocp: Any, manager: Any, step: int) -> Checkpoint:
    args = ocp.args
    restored = manager.restore(
        step, args=args.Composite(states=args.StandardRestore(), meta=args.JsonRestore())
    )
    meta = restored.meta
    states = {path: np.asarray(restored.states[str(i)]) for i, path in enumerate(meta["paths"])}
    return Checkpoint(meta["step"], tuple(meta["members"]), states)
