"""The child process that tells wandb of runs, while and after they are recorded.

It reads the files of the runs that wait in the queue of the workspace, until its standard input
ends, that is until the process that runs them ends in whatever way. Whatever it was stopped at is
still in the queue, and the next reader does it. It prints at most one sentence.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from optexp_jax.errors import DamagedError
from optexp_jax.file_lock import try_lock
from optexp_jax.results import status
from optexp_jax.results.locks import Lock
from optexp_jax.results.wandb import client, history, record
from optexp_jax.results.wandb.description import RunDescription, queued

_POLL = 0.5  # seconds
_LIMIT = 600.0  # after the end of the process that runs
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")


class OfflineReader:
    """It makes a record of every run that has ended.

    Args:
        workspace: that has the queue.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._wandb = client.connect("offline")
        self._seen: dict[str, int] = {}  # when a status was written that was looked at

    def look(self) -> None:
        """Record what has ended since the last time."""
        for path, description in queued(self._workspace):
            with _held(path) as mine, _dropping_damaged(path):
                if mine and self._is_news(description):
                    self._look_at(path, description)

    def close(self) -> None:
        """Do nothing more: runs that have not ended stay in the queue."""

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
    """It sends the rows of runs as they are recorded.

    Args:
        workspace: that has the queue.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._wandb = client.connect("online")
        self._live: dict[Path, LiveRun] = {}
        self._locks = contextlib.ExitStack()

    def look(self) -> None:
        """Send what was recorded since the last time."""
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
        """Leave the runs that have not ended: they are resumed under their ids."""
        for run in self._live.values():
            run.leave()
        self._locks.close()

    def _goes_on(self, description: RunDescription, said: dict[str, Any]) -> bool:
        """Whether a run has ended or some process runs it; what was interrupted waits."""
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
    """A run on the server that grows with its files.

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
        """Send the rows that are new, and close the run if it has ended."""
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
        """Close the run as one that has not ended."""
        if self._run is not None:
            self._run.finish(exit_code=1)


def _status(workspace: Path, description: RunDescription) -> dict[str, Any] | None:
    """The status of a described run; None where it is gone, or another has replaced it."""
    file = workspace / description.folder / "status.json"
    said = status.read(file, description.key)
    return said if said and record.belongs(description, said) else None


@contextlib.contextmanager
def _dropping_damaged(path: Path) -> Iterator[None]:
    """Take a run whose files are damaged off the queue: whoever reads it is told elsewhere."""
    try:
        yield
    except DamagedError:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Hold the lock of an entry of the queue; yields False where another reader has it."""
    with contextlib.ExitStack() as stack:
        handle: IO[str] | None = None
        with contextlib.suppress(FileNotFoundError):  # another reader has done it
            handle = stack.enter_context(path.open(encoding="utf-8"))
        yield handle is not None and try_lock(handle) and path.exists()


def main() -> None:
    """Follow the runs of a workspace until standard input ends."""
    request = json.loads(sys.argv[1])
    workspace = Path(request["workspace"])
    for name in _SIGNALS:  # they are meant for the process that runs, whose end is seen
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.nice(19)
    try:
        _follow(workspace, request["mode"])
    except (Exception, SystemExit) as error:  # of wandb, which may raise anything
        _say(client.reason(error))
    finally:
        client.clean_up()
    os._exit(0)  # threads of wandb may wait for a server that does not answer


def _follow(workspace: Path, mode: str) -> None:
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=(ended,), daemon=True).start()
    reader = (LiveReader if mode == "online" else OfflineReader)(workspace)
    while not ended.is_set():
        reader.look()
        ended.wait(_POLL)
    reader.look()
    reader.close()


def _wait_for_end(ended: threading.Event) -> None:
    with contextlib.suppress(OSError):
        sys.stdin.read()
    ended.set()
    threading.Timer(_LIMIT, os._exit, [1]).start()


def _say(sentence: str) -> None:
    with contextlib.suppress(OSError):  # whoever listened has gone
        print(sentence, flush=True)


if __name__ == "__main__":
    main()
