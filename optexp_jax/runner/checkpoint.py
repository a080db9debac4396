"""Checkpoints of a pack, written by Orbax in the background and published by a rename.

The metadata hold a hash of every leaf and of themselves, so that no run resumes from changed files.
Our own thread hashes and writes. Orbax alone would only compress in the background, and training
would wait for the hashes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import numpy as np

from optexp_jax.atomic_write import flush
from optexp_jax.errors import (
    GoneError,
    OptexpError,
    UnwritableError,
    cause_of,
    machine_error,
    remedy_of,
    unreadable,
)
from optexp_jax.extras import require
from optexp_jax.training.step import States

KEPT = 3  # newest checkpoints of a pack
_LOST = ("NOT_FOUND", "does not exist")  # in messages on a missing folder


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """The state that a pack needs to resume.

    Args:
        step: steps taken.
        members: ids of the experiments, in the order of the first axis of the states.
        states: path of each leaf -> array `[runs, ...]`.
        path: folder of the checkpoint; None if it was not read from disk.
        damaged: folders of newer checkpoints that are damaged; the newest first.
    """

    step: int
    members: tuple[str, ...]
    states: States
    path: Path | None = None
    damaged: tuple[Path, ...] = ()

    def select(self, members: Sequence[str]) -> States:
        """Return the states of these members, in the same order, leaves `[members, ...]`."""
        index = [self.members.index(member) for member in members]
        return {path: leaf[index] for path, leaf in self.states.items()}


class CheckpointWriter:
    """Write checkpoints of one pack into a folder, and keep the last three.

    Args:
        folder: `packs/<id>` in the folder of a group, which must exist.

    Raises:
        GoneError: the folder of the group does not exist.
        UnwritableError: the folder cannot be written. `save`, `wait` and `close` raise both errors
            too, for the checkpoint before.
    """

    def __init__(self, folder: Path) -> None:
        require("run", "orbax")
        import orbax.checkpoint as ocp  # takes a second, and short runs never need it

        self.seconds = 0.0  # time to write the last checkpoint
        self._ocp, self._folder = ocp, folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoints")
        self._writing_now: Future[float] | None = None
        self._silence = contextlib.ExitStack()
        self._silence.enter_context(_quiet())
        with self._writing():
            _make(folder)
            policy = ocp.checkpoint_managers.LatestN(KEPT)
            options = ocp.CheckpointManagerOptions(preservation_policy=policy, **_alone(ocp))
            self._manager = ocp.CheckpointManager(folder.absolute(), options=options)

    @property
    def is_writing(self) -> bool:
        """Whether a checkpoint is being written."""
        return self._writing_now is not None and not self._writing_now.done()

    def save(self, checkpoint: Checkpoint) -> None:
        """Wait for the checkpoint before, then start to write this one.

        Checkpoints of this step and of later ones are deleted: they are damaged, or of an earlier
        attempt.
        """
        self.wait()
        self._writing_now = self._thread.submit(self._write, checkpoint)

    def wait(self) -> None:
        """Wait until the last checkpoint is on disk."""
        writing, self._writing_now = self._writing_now, None
        if writing is not None:
            self.seconds = writing.result()

    def close(self) -> None:
        """Wait until the last checkpoint is on disk, and release the folder."""
        with self._silence, self._writing(), self._thread:
            try:
                self.wait()
            finally:
                self._manager.close()

    def _write(self, checkpoint: Checkpoint) -> float:
        """Write a checkpoint, and return the time it took in seconds."""
        began = time.monotonic()
        args = self._ocp.args
        paths = list(checkpoint.states)
        # Leaves are numbered, since Orbax would make folders of the slashes in their paths.
        leaves = {str(i): checkpoint.states[path] for i, path in enumerate(paths)}
        meta = _sealed(
            {
                "step": checkpoint.step,
                "members": list(checkpoint.members),
                "paths": paths,
                "hashes": [_hash_of(checkpoint.states[path]) for path in paths],
            }
        )
        with self._writing():
            _make(self._folder)  # it may have been deleted meanwhile
            for step in self._manager.all_steps():
                if step >= checkpoint.step:
                    self._manager.delete(step)
            self._manager.save(
                checkpoint.step,
                args=args.Composite(states=args.StandardSave(leaves), meta=args.JsonSave(meta)),
                force=True,
            )
            self._manager.wait_until_finished()
            flush(self._folder)
        return time.monotonic() - began

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn errors of Orbax in the block into an error of one sentence.

        Raises:
            GoneError: the folder was moved or deleted.
            UnwritableError: it cannot be written.
        """
        try:
            yield
        except OptexpError:
            raise
        except Exception as error:  # of Orbax, TensorStore or the file system
            if isinstance(error, FileNotFoundError) or any(s in str(error) for s in _LOST):
                raise _gone(self._folder) from error
            cause = machine_error(error) or error
            raise UnwritableError(
                f"A checkpoint in {self._folder} cannot be written ({cause_of(cause)[:200]}): "
                f"{remedy_of(cause)} and rerun the command to resume; recorded results are kept.",
                code="checkpoint-unwritable",
                folder=self._folder,
                cause=cause_of(cause),
            ) from error


@contextlib.contextmanager
def checkpoint_writer(folder: Path) -> Iterator[CheckpointWriter]:
    """Open a checkpoint writer, and close it at the end of the block."""
    writer = CheckpointWriter(folder)
    try:
        yield writer
    finally:
        writer.close()


def _make(folder: Path) -> None:
    """Make the folder `packs/<id>`, but no folder above; others may remove an empty `packs`."""
    while True:
        folder.parent.mkdir(exist_ok=True)
        try:
            folder.mkdir(exist_ok=True)
        except FileNotFoundError:
            if folder.parent.parent.is_dir():
                continue
            raise
        return


def _alone(ocp: Any) -> dict[str, Any]:
    """Return Orbax options with which this process does not wait for others of the same pack."""
    if jax.process_count() == 1:
        return {"create": False}
    me = jax.process_index()
    processes = ocp.options.MultiprocessingOptions(
        primary_host=me, active_processes={me}, barrier_sync_key_prefix=f"process-{me}"
    )
    return {"create": False, "multiprocessing_options": processes}


# -- reading --------------------------------------------------------------------------------------


def read_checkpoint(folder: Path, step: int | None = None) -> Checkpoint | None:
    """Read the newest undamaged checkpoint of a folder.

    Args:
        folder: folder of a `CheckpointWriter`.
        step: read only the checkpoint of this step; None for the newest.

    Returns:
        the checkpoint, with the folders of newer ones that are damaged; None if the folder has no
        checkpoints.

    Raises:
        UnreadableError: this machine cannot read one, for lack of access, memory or open files.
        OptexpError: all checkpoints are damaged.
    """
    if not folder.is_dir():
        return None
    require("run", "orbax")
    import orbax.checkpoint as ocp

    reason: Exception | None = None
    with _quiet():
        options = ocp.CheckpointManagerOptions(**_alone(ocp))
        manager = ocp.CheckpointManager(folder.absolute(), options=options)
        try:
            steps = [step] if step is not None else sorted(manager.all_steps(), reverse=True)
            for i, saved in enumerate(steps):
                path, newer = folder / str(saved), tuple(folder / str(s) for s in steps[:i])
                try:
                    read = _read(ocp, manager, saved)
                    return dataclasses.replace(read, path=path, damaged=newer)
                except Exception as error:  # Orbax raises many kinds of errors on damage
                    _require_access(path, error)
                    reason = error
        finally:
            manager.close()
    if reason is None:
        return None
    first_line = str(reason).strip().splitlines()[0][:200] if str(reason).strip() else repr(reason)
    raise OptexpError(
        f"No checkpoint in {folder} can be read ({first_line}): delete that folder to run its "
        "experiments again from the first step; recorded rows are kept.",
        code="no-checkpoint-readable",
        folder=folder,
        why=first_line,
    ) from reason


def say_damaged(checkpoint: Checkpoint) -> str:
    """Return a sentence on damaged newer checkpoints; empty if there are none."""
    if not checkpoint.damaged:
        return ""
    damaged = " and ".join(map(str, checkpoint.damaged))
    return (
        f"Checkpoint {damaged} is damaged: runs resume from {checkpoint.path}, the one before, and "
        f"take the steps from {checkpoint.step} on again."
    )


def _read(ocp: Any, manager: Any, step: int) -> Checkpoint:
    args = ocp.args
    restored = manager.restore(
        step, args=args.Composite(states=args.StandardRestore(), meta=args.JsonRestore())
    )
    meta = restored.meta
    hashes = _opened(meta)
    states = {path: np.asarray(restored.states[str(i)]) for i, path in enumerate(meta["paths"])}
    if hashes is not None and [_hash_of(leaf) for leaf in states.values()] != hashes:
        raise ValueError("its arrays have changed")
    runs, number = {leaf.shape[:1] for leaf in states.values()}, len(meta["members"])
    # Version 0.1.0 also wrote the rows that pad the runs to the number of devices.
    if meta["step"] != step or len(runs) != 1 or not (rows := runs.pop()) or rows[0] < number:
        raise ValueError("its parts do not fit together")
    states = {path: leaf[:number] for path, leaf in states.items()}
    return Checkpoint(meta["step"], tuple(meta["members"]), states)


def _require_access(folder: Path, error: Exception) -> None:
    """Raise an error if this machine cannot read a checkpoint; return if it is damaged.

    Raises:
        UnreadableError: the machine refused to read it.
    """
    cause = machine_error(error) or _refusal(folder)
    if cause:
        raise unreadable(folder, cause) from error


def _refusal(folder: Path) -> OSError | None:
    """Return the error on opening a file of a folder; None if all can be opened."""
    for path in folder.rglob("*"):
        if path.is_file():
            try:
                path.open("rb").close()
            except FileNotFoundError:
                continue
            except OSError as error:
                return error
    return None


# -- hashes ---------------------------------------------------------------------------------------


def _hash_of(leaf: np.ndarray) -> str:
    """Return the SHA-256 hash of the type, shape and bytes of an array."""
    found = hashlib.sha256(f"{leaf.dtype.name}{leaf.shape}".encode())
    found.update(np.ascontiguousarray(leaf).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def _sealed(meta: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(meta, sort_keys=True)
    return meta | {"digest": hashlib.sha256(text.encode()).hexdigest()}


def _opened(meta: Mapping[str, Any]) -> list[str] | None:
    """Return the hashes of the leaves; None if there are none, as from version 0.1.0.

    Raises:
        ValueError: the metadata have changed.
    """
    if "hashes" not in meta and "digest" not in meta:
        return None
    rest = {name: value for name, value in meta.items() if name != "digest"}
    if _sealed(rest)["digest"] != meta.get("digest"):
        raise ValueError("its meta data have changed")
    return list(meta["hashes"])


def _gone(folder: Path) -> GoneError:
    lost = folder if folder.parent.parent.is_dir() else folder.parent.parent
    return GoneError(
        f"The folder {lost} was moved or deleted during its runs: put it back and rerun the "
        "command to resume, or rerun it to start again.",
        code="pack-folder-gone",
        folder=lost,
    )


@functools.cache
def _ignore_late_callbacks() -> None:
    """Hide errors of reads that TensorStore ends after Orbax has given up on a checkpoint."""
    before = sys.unraisablehook

    def hook(late: sys.UnraisableHookArgs) -> None:
        if "Event loop is closed" not in str(late.exc_value):
            before(late)

    sys.unraisablehook = hook


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide the log of Orbax in the block: it has each error several times, with tracebacks."""

    def is_of_others(record: logging.LogRecord) -> bool:
        return "orbax" not in record.pathname

    _ignore_late_callbacks()
    log = logging.getLogger("absl")
    log.addFilter(is_of_others)
    try:
        yield
    finally:
        log.removeFilter(is_of_others)
