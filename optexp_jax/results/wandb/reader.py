"""Log the queued runs of a workspace to wandb, by reading their files.

If a reader stops early, its task stays in the queue for the next reader.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from optexp_jax.errors import DamagedError
from optexp_jax.file_lock import try_lock
from optexp_jax.results import status
from optexp_jax.results.locks import Lock
from optexp_jax.results.wandb import client, history, record
from optexp_jax.results.wandb.description import RunDescription, queued


class OfflineReader:
    """Make an offline record of every run that has ended.

    Args:
        workspace: that has the queue.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._wandb = client.connect("offline")
        self._seen: dict[str, int] = {}  # when a status was written that was looked at

    def look(self) -> None:
        """Record the runs that have ended since the last call."""
        for path, description in queued(self._workspace):
            with _held(path) as mine, _dropping_damaged(path):
                if mine and self._is_news(description):
                    self._look_at(path, description)

    def close(self) -> None:
        """Do nothing: runs that have not ended stay in the queue."""

    def _is_news(self, description: RunDescription) -> bool:
        file = self._workspace / description.folder / "status.json"
        with contextlib.suppress(OSError):
            written = file.stat().st_mtime_ns
            before = self._seen.get(description.wandb_id)
            self._seen[description.wandb_id] = written
            return written != before
        return not file.parent.exists()

    def _look_at(self, path: Path, description: RunDescription) -> None:
        said = _status(self._workspace, description)
        if said is None:
            path.unlink()
        elif record.is_due(description, said):
            target = self._workspace / "wandb"
            record.make_record(self._wandb, self._workspace, description, target, thin=True)
            path.unlink()


class LiveReader:
    """Send the rows of runs while they record them.

    Args:
        workspace: that has the queue.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._wandb = client.connect("online")
        self._live: dict[Path, LiveRun] = {}
        self._locks = contextlib.ExitStack()

    def look(self) -> None:
        """Send the rows recorded since the last call."""
        for path, description in queued(self._workspace):
            with _dropping_damaged(path):
                said = _status(self._workspace, description)
                if said is None:
                    path.unlink(missing_ok=True)
                elif path in self._live or (
                    self._goes_on(description, said) and self._take(path, description)
                ):
                    self._send(path, said)

    def close(self) -> None:
        """Leave runs that have not ended; they resume under their ids."""
        for run in self._live.values():
            run.leave()
        self._locks.close()

    def _goes_on(self, description: RunDescription, said: dict[str, Any]) -> bool:
        """Check whether a run has ended or is running; an interrupted run waits."""
        ended = said.get("status") in status.FINISHED
        return ended or Lock(self._workspace / description.folder).is_taken()

    def _send(self, path: Path, said: dict[str, Any]) -> None:
        run = self._live[path]
        with contextlib.suppress(FileNotFoundError):  # its files are merged just now
            run.send(said)
        if run.is_over:
            path.unlink()
            del self._live[path]

    def _take(self, path: Path, description: RunDescription) -> bool:
        if not self._locks.enter_context(_held(path)):
            return False
        self._live[path] = LiveRun(self._wandb, self._workspace, description)
        return True


class LiveRun:
    """Extend a run on the server as its files grow.

    Args:
        wandb: what `client.connect` returned.
        workspace: that has the run.
        description: of the run.
    """

    def __init__(self, wandb: Any, workspace: Path, description: RunDescription) -> None:
        self._wandb = wandb
        self._description = description
        self._folder = workspace / description.folder
        self._run: Any = None
        self._sent: int | None = None  # the last step
        self.is_over = False

    def send(self, said: dict[str, Any]) -> None:
        """Send the new rows, and close the run if it has ended."""
        ended = said.get("status") in status.FINISHED
        after = None if ended else self._sent
        recorded = history.read(self._folder, self._description.key, said, after)
        if not len(recorded.rows.table):
            return
        if self._run is None:
            config, where = self._description.config, self._folder.parents[2]
            self._run = client.start(self._wandb, self._description, config, where, "online")
        client.log(self._run, history.history(recorded, self._description.groups))
        self._sent = int(recorded.rows.table["step"].iloc[-1])
        if ended:
            self._finish(recorded, said)

    def _finish(self, recorded: history.Recorded, said: dict[str, Any]) -> None:
        config = history.columns(self._description, recorded, said, self._folder)
        self._run.config.update(config, allow_val_change=True)
        files = history.files_of(self._folder)
        summary = history.summary(recorded, self._description.metric, said)
        client.finish(self._wandb, self._run, summary, files, self._folder, config["results"])
        self.is_over = True

    def leave(self) -> None:
        """Close the run without marking it as ended."""
        if self._run is not None:
            self._run.finish(exit_code=1)


def _status(workspace: Path, description: RunDescription) -> dict[str, Any] | None:
    """Read the status of a described run; None if it is gone, or another replaced it."""
    file = workspace / description.folder / "status.json"
    said = status.read(file, description.key)
    return said if said and record.belongs(description, said) else None


@contextlib.contextmanager
def _dropping_damaged(path: Path) -> Iterator[None]:
    """Take a run whose files are damaged off the queue; other commands report the damage."""
    try:
        yield
    except DamagedError:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Hold the lock of a queue entry; yield False if another reader holds it."""
    with contextlib.ExitStack() as stack:
        handle: IO[str] | None = None
        with contextlib.suppress(FileNotFoundError):  # another reader has done it
            handle = stack.enter_context(path.open(encoding="utf-8"))
        yield handle is not None and try_lock(handle) and path.exists()
