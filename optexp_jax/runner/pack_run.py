"""One pack, from its start or its checkpoint to its end, every chunk stored as it comes."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

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
from optexp_jax.runner.display import Display
from optexp_jax.runner.signals import Stopped
from optexp_jax.schedule import Schedule
from optexp_jax.targets import targets_of
from optexp_jax.training.loop import Chunk, train_pack
from optexp_jax.training.multihost import broadcast
from optexp_jax.training.pack import Pack
from optexp_jax.training.program import measured
from optexp_jax.training.run_control import RunControl
from optexp_jax.training.run_record import RunRecord


@dataclasses.dataclass(frozen=True)
class PackPlan:
    """A pack and where it starts.

    Args:
        pack: the runs; with `vmap` it may hold runs that have ended, for the shape of the program.
        folders: folders of the runs that are to be recorded, by experiment id.
        checkpoint: where they go on from, None for the first step.
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
        plan: what to run.
        data: the data of its problem.
        reader: who tells wandb of the runs.
        display: what a person sees.
        control: whether to checkpoint and stop after this chunk; it raises `Stopped` to leave a
            long evaluation, and the pack then goes on from its last checkpoint.
        checkpoint_seconds: time between checkpoints.
    """

    def __init__(
        self,
        plan: PackPlan,
        data: Data,
        reader: Reader,
        display: Display,
        control: RunControl,
        checkpoint_seconds: float,
    ) -> None:
        self._plan = plan
        self._data = data
        self._reader = reader
        self._display = display
        self._control = control
        self._checkpoint_seconds = checkpoint_seconds
        self._counts = examples_by_class(plan.pack, data)
        self._running = dict(plan.folders)
        self._failed: dict[Experiment, str] = {}
        self._writer: CheckpointWriter | None = None
        self._began = self._saved = time.monotonic()

    def train(self) -> dict[Experiment, str]:
        """Run to the end, or to the chunk after which it is asked to stop.

        Returns:
            the runs whose folders were damaged or moved meanwhile, and a sentence on each.

        Raises:
            UnwritableError: the workspace cannot be written.
        """
        pack, checkpoint = self._plan.pack, self._plan.checkpoint
        total = Schedule.of(pack.experiments[0], len(self._data.train)).total
        runs = len(self._running)
        step = checkpoint.step if checkpoint else 0
        states = checkpoint.select([e.id for e in pack.experiments]) if checkpoint else None
        self._begin(total)
        self._display.pack(describe(pack), total * runs, step * runs)
        try:
            for chunk in train_pack(pack, self._data, states, step, control=self._control):
                self._store(chunk)
                alive = len(self._running)
                self._display.advance(chunk.step * alive + total * (runs - alive))
                stop = not self._running or self._control.is_stopping()
                save = bool(self._running) and (stop or self._checkpoint_is_due())
                broadcast({"save": save, "stop": stop})
                if save:
                    self._save(chunk)
                if stop:
                    break
        except Stopped:
            pass  # in the middle of a chunk: what is not in a checkpoint is done again
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
                    wandb_id=wandb_id,
                )
                self._reader.begin(folder.experiment, wandb_id, self._counts)

    @contextlib.contextmanager
    def _failing_alone(self, key: str) -> Iterator[None]:
        """A run whose own files are damaged or gone fails; the others of the pack go on."""
        try:
            yield
        except (DamagedError, GoneError, UnreadableError) as error:
            folder = self._running.pop(key)
            self._failed[folder.experiment] = str(error)
            with contextlib.suppress(GoneError):
                folder.fail(str(error))

    def _store(self, chunk: Chunk) -> None:
        for record in chunk.records:
            if record.experiment.id in self._running:
                with self._failing_alone(record.experiment.id):
                    self._store_record(record)

    def _store_record(self, record: RunRecord) -> None:
        key = record.experiment.id
        folder = self._running[key]
        folder.append(record.table, record.per_class, record.per_class_steps)
        if record.parameters is not None:
            folder.keep_parameters(record.step, record.parameters)
        if record.status in FINISHED:
            seconds = round(time.monotonic() - self._began, 3)
            folder.finish(record.status, record.step, checkpoint=None, pack_seconds=seconds)
            del self._running[key]
            self._display.finished(1)
        else:
            folder.write_status(step=record.step)

    def _preempt(self) -> None:
        for key, folder in list(self._running.items()):
            with self._failing_alone(key):
                folder.write_status(status="preempted")

    # -- checkpoints ----------------------------------------------------------------------------

    def _checkpoint_is_due(self) -> bool:
        return time.monotonic() - self._saved >= self._checkpoint_seconds

    def _save(self, chunk: Chunk) -> None:
        members = tuple(e.id for e in self._plan.pack.experiments)
        first = self._writer is None
        if self._writer is None:
            self._writer = CheckpointWriter(self._plan.target)
        self._writer.save(Checkpoint(chunk.step, members, chunk.snapshot()))
        if first:
            # The runs refer to the new folder only once there is something to go on from.
            self._writer.wait()
            for key, folder in list(self._running.items()):
                with self._failing_alone(key):
                    folder.write_status(checkpoint=self._plan.pack.id)
        self._saved = time.monotonic()

    def _close(self) -> None:
        """Wait for the last checkpoint; where no run is left, none is needed."""
        if self._writer:
            with contextlib.suppress(*([] if self._running else [GoneError, UnwritableError])):
                self._writer.close()

    def _remove_checkpoints(self) -> None:
        """Remove the checkpoint folders, old and new, that no run refers to any more."""
        group = self._plan.target.parent.parent
        members = {e.id for e in self._plan.pack.experiments}
        members |= set(self._plan.checkpoint.members) if self._plan.checkpoint else set()
        try:
            needed = {_checkpoint_of(group / member) for member in members}
        except (DamagedError, UnreadableError):  # somebody may put back what refers to one
            return
        for folder in {self._plan.target, self._plan.source} - {None}:
            if folder and folder.name not in needed:
                shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # it is not empty, or another process was faster
            self._plan.target.parent.rmdir()
            if len(self._failed) == len(self._plan.folders):
                # What wrote checkpoints may have made a folder anew that was moved away.
                for folder in (group, group.parent, group.parent.parent):
                    folder.rmdir()


def examples_by_class(pack: Pack, data: Data) -> dict[str, np.ndarray]:
    """Examples per class of the training data, and of what metrics are measured on."""
    train, validation = measured(pack, data)
    every = data.class_counts
    counts = {"train": every, "tr": every}
    for name, split in (("tr", train), ("va", validation)):
        if split is not None and split is not data.train:
            targets = targets_of(pack.experiments[0].problem.dataset)
            counts[name] = counts_of(split.labels, len(every), targets)
    return counts


def _checkpoint_of(folder: Path) -> str | None:
    """Id of the pack whose checkpoint a run would go on from."""
    return status.read(folder / "status.json", folder.name).get("checkpoint")


def describe(pack: Pack) -> str:
    """A pack in words, for progress bars and messages."""
    experiment = pack.experiments[0]
    rates = {e.optimizer.learning_rate for e in pack.experiments}
    seeds = {e.seed for e in pack.experiments}
    at = f", {len(rates)} learning rates" if len(rates) > 1 else f" {min(rates)}"
    of = f"{len(seeds)} seeds" if len(seeds) > 1 else f"seed {experiment.seed}"
    return f"{method_name(experiment.optimizer)}{at}, {of}"
