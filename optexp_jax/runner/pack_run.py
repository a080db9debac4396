"""Train one pack from its start or a checkpoint to its end, and store every chunk."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np

from optexp_jax.datasets.classes import counts_of
from optexp_jax.datasets.data import Data
from optexp_jax.errors import DamagedError, GoneError, UnreadableError, UnwritableError
from optexp_jax.experiment import Experiment
from optexp_jax.grid import method_name
from optexp_jax.results import status
from optexp_jax.results.status import FINISHED
from optexp_jax.results.store import RunFolder
from optexp_jax.results.wandb.child import Reader, new_run_id
from optexp_jax.runner.checkpoint import Checkpoint, CheckpointWriter
from optexp_jax.runner.checkpoint_spacing import CheckpointSpacing
from optexp_jax.runner.display import Display
from optexp_jax.runner.pace import Work
from optexp_jax.runner.signals import Stopped
from optexp_jax.schedule import Schedule
from optexp_jax.targets import CLASSES, targets_of
from optexp_jax.training import devices
from optexp_jax.training.forecast import step_flops
from optexp_jax.training.gpus import gpu_of_device
from optexp_jax.training.loop import Chunk, train_pack
from optexp_jax.training.modes import Auto
from optexp_jax.training.multihost import broadcast
from optexp_jax.training.pack import Pack
from optexp_jax.training.program import measured
from optexp_jax.training.run_control import RunControl
from optexp_jax.training.run_record import RunRecord


@dataclasses.dataclass(frozen=True)
class PackPlan:
    """A pack and where it starts.

    Args:
        pack: the runs. With `vmap` it may hold runs that have ended, so that the program keeps
            its shape.
        folders: experiment id -> folder, for the runs to record.
        checkpoint: checkpoint to resume from; None to start at the first step.
        source: folder of that checkpoint.
    """

    pack: Pack
    folders: dict[str, RunFolder]
    checkpoint: Checkpoint | None = None
    source: Path | None = None

    @property
    def target(self) -> Path:
        """Folder of the checkpoints that this pack writes."""
        return next(iter(self.folders.values())).group / "packs" / self.pack.id


class PackRun:
    """The loop over the chunks of one pack.

    Args:
        plan: the pack and where it starts.
        data: the data of its problem.
        reader: sends the runs to wandb.
        display: receives the progress.
        control: asks whether to save a checkpoint and stop after a chunk. It may raise `Stopped`
            in a long evaluation; the pack then resumes from its last checkpoint.
        checkpoint_seconds: seconds between checkpoints; `auto` for at most 2 % of the time.
    """

    def __init__(
        self,
        plan: PackPlan,
        data: Data,
        reader: Reader,
        display: Display,
        control: RunControl,
        checkpoint_seconds: float | Auto,
    ) -> None:
        self._plan = plan
        self._data = data
        self._reader = reader
        self._display = display
        self._control = control
        self._spacing = CheckpointSpacing(checkpoint_seconds)
        self._counts = examples_by_class(plan.pack, data)
        self._running = dict(plan.folders)
        self._failed: dict[Experiment, str] = {}
        self._writer: CheckpointWriter | None = None
        self._referred = False  # whether the runs refer to their checkpoints
        self._blocked = 0.0  # seconds that the last checkpoint blocked training
        self._began = time.monotonic()

    def train(self) -> dict[Experiment, str]:
        """Train to the last step, or until `control` asks to stop.

        Returns:
            run whose folder was damaged or moved meanwhile -> why it failed.

        Raises:
            UnwritableError: the workspace cannot be written.
        """
        pack, checkpoint = self._plan.pack, self._plan.checkpoint
        total = Schedule.of(pack.experiments[0], len(self._data.train)).total
        runs = len(self._running)
        step = checkpoint.step if checkpoint else 0
        states = checkpoint.select([e.id for e in pack.experiments]) if checkpoint else None
        self._begin(total)
        self._display.pack(describe(pack), runs, total, step, work_of(pack, self._data))
        try:
            for chunk in train_pack(pack, self._data, states, step, control=self._control):
                self._display.advance(chunk.step)
                self._store(chunk)
                self._note_written()
                stop = not self._running or self._control.is_stopping()
                save = bool(self._running) and (stop or self._checkpoint_is_due(chunk))
                broadcast({"save": save, "stop": stop})
                if save:
                    self._save(chunk)
                if stop:
                    break
        except Stopped:
            pass  # in the middle of a chunk: steps since the last checkpoint are taken again
        finally:
            self._close()
        self._preempt()
        self._remove_checkpoints()
        return self._failed

    def _begin(self, total: int) -> None:
        for key, folder in list(self._running.items()):
            with self._failing_alone(key):
                wandb_id = folder.read_status().get("wandb_id") or new_run_id()
                folder.begin(
                    self._counts,
                    total_steps=total,
                    pack=self._plan.pack.id,
                    pack_mode=self._plan.pack.mode,
                    micro_batch=self._plan.pack.micro_batch,
                    devices=self._plan.pack.devices,
                    shard=self._plan.pack.shard,
                    remat=self._plan.pack.remat,
                    wandb_id=wandb_id,
                )
                self._reader.begin(folder.experiment, wandb_id, self._counts)

    @contextlib.contextmanager
    def _failing_alone(self, key: str) -> Iterator[None]:
        """Mark a run as failed if its files are damaged or gone in the block; others continue."""
        try:
            yield
        except (DamagedError, GoneError, UnreadableError) as error:
            folder = self._running.pop(key)
            self._failed[folder.experiment] = str(error)
            with contextlib.suppress(GoneError):
                folder.fail(str(error))

    def _store(self, chunk: Chunk) -> None:
        ended = 0
        for record in chunk.records:
            if record.experiment.id in self._running:
                with self._failing_alone(record.experiment.id):
                    ended += self._store_record(record)
        if ended:
            self._display.finished(ended)

    def _store_record(self, record: RunRecord) -> bool:
        """Store the rows of a run, and return whether it has ended."""
        key = record.experiment.id
        folder = self._running[key]
        folder.append(record.table, record.per_class, record.per_class_steps)
        if record.parameters is not None:
            folder.keep_parameters(record.step, record.parameters)
        if record.status in FINISHED:
            seconds = round(time.monotonic() - self._began, 3)
            folder.finish(record.status, record.step, checkpoint=None, pack_seconds=seconds)
            del self._running[key]
            return True
        folder.write_status(step=record.step)
        return False

    def _preempt(self) -> None:
        for key, folder in list(self._running.items()):
            with self._failing_alone(key):
                folder.write_status(status="preempted")

    # -- checkpoints ----------------------------------------------------------------------------

    def _checkpoint_is_due(self, chunk: Chunk) -> bool:
        return self._spacing.is_due(sum(leaf.nbytes for leaf in jax.tree.leaves(chunk.states)))

    def _save(self, chunk: Chunk) -> None:
        began = time.monotonic()
        self._spacing.began()
        members = tuple(e.id for e in self._plan.pack.experiments)
        if self._writer is None:
            self._writer = CheckpointWriter(self._plan.target)
        states = {path: leaf[: len(members)] for path, leaf in chunk.snapshot().items()}
        self._writer.save(Checkpoint(chunk.step, members, states))
        self._blocked = time.monotonic() - began

    def _note_written(self) -> None:
        """When a checkpoint is on disk, note its time, and let the runs refer to it."""
        if self._writer is None or self._writer.is_writing or not self._running:
            return
        self._writer.wait()
        self._spacing.took(self._blocked + self._writer.seconds)
        if not self._referred:
            self._referred = True
            for key, folder in list(self._running.items()):
                with self._failing_alone(key):
                    folder.write_status(checkpoint=self._plan.pack.id)

    def _close(self) -> None:
        """Wait for the last checkpoint; ignore its errors if no run needs it."""
        if self._writer:
            with contextlib.suppress(*([] if self._running else [GoneError, UnwritableError])):
                self._writer.close()
                self._note_written()

    def _remove_checkpoints(self) -> None:
        """Remove checkpoint folders that no run refers to any more."""
        group = self._plan.target.parent.parent
        members = {e.id for e in self._plan.pack.experiments}
        members |= set(self._plan.checkpoint.members) if self._plan.checkpoint else set()
        try:
            needed = {_checkpoint_of(group / member) for member in members}
        except (DamagedError, UnreadableError):  # the run may be restored, and need one
            return
        for folder in {self._plan.target, self._plan.source} - {None}:
            if folder and folder.name not in needed:
                shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # not empty, or already removed by another process
            self._plan.target.parent.rmdir()
            if len(self._failed) == len(self._plan.folders):
                # Orbax may have made a folder again that was moved away.
                for folder in (group, group.parent, group.parent.parent):
                    folder.rmdir()


def examples_by_class(pack: Pack, data: Data) -> dict[str, np.ndarray]:
    """Count the examples of each class.

    Returns:
        counts `[num_classes]`: `train` of the training data, and `tr` and `va` of the data on
        which training and validation metrics are measured.
    """
    train, validation = measured(pack, data)
    every = data.class_counts
    counts = {"train": every, "tr": every}
    for name, split in (("tr", train), ("va", validation)):
        if split is not None and split is not data.train:
            targets = targets_of(pack.experiments[0].problem.dataset)
            counts[name] = counts_of(split.labels, len(every), targets)
    return counts


def work_of(pack: Pack, data: Data) -> Work | None:
    """Return the work of a step of a run on texts; None for other data.

    It has FLOPs only if the peak FLOP/s of the device are known.
    """
    shape = data.train.labels.shape
    if len(shape) < 2 or targets_of(pack.experiments[0].problem.dataset) != CLASSES:
        return None
    batching = pack.experiments[0].problem.batching
    tokens = min(batching.batch_size(len(data.train)), shape[0]) * math.prod(shape[1:])
    used = devices.used()
    gpu = gpu_of_device(used[0].device_kind)
    if gpu is None:
        return Work(tokens)
    peak = gpu.peak(pack.experiments[0].problem.precision) * len(used)
    return Work(tokens, step_flops(pack, data), peak)


def _checkpoint_of(folder: Path) -> str | None:
    """Return the id of the pack whose checkpoint a run resumes from; None without one."""
    return status.read(folder / "status.json", folder.name).get("checkpoint")


def describe(pack: Pack) -> str:
    """Describe a pack for progress bars and messages: method, learning rates and seeds."""
    experiment = pack.experiments[0]
    rates = {e.optimizer.learning_rate for e in pack.experiments}
    seeds = {e.seed for e in pack.experiments}
    at = f", {len(rates)} learning rates" if len(rates) > 1 else f" {min(rates)}"
    of = f"{len(seeds)} seeds" if len(seeds) > 1 else f"seed {experiment.seed}"
    return f"{method_name(experiment.optimizer)}{at}, {of}"
