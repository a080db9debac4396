"""Do wandb tasks in child processes, several at a time, each with a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, TypeVar

from optexp_jax.errors import OptexpError
from optexp_jax.results import checked_files
from optexp_jax.results.wandb import client

PATIENCE = 60.0  # seconds without progress
_MODULE = "optexp_jax.results.wandb.worker"
_TOO_LATE = "did not respond in time"  # as wandb's client says
Task = TypeVar("Task")


class WandbError(OptexpError):
    """The wandb server refused a request or did not answer."""


class RemoteWorker:
    """Do tasks one after the other in a child process, started for the first task.

    Args:
        workspace: where the runs are.
        patience: seconds without progress after which a task is given up.
    """

    def __init__(self, workspace: Path, patience: float = PATIENCE) -> None:
        self._workspace = workspace.absolute()
        self._patience = patience
        self._process: subprocess.Popen[str] | None = None

    def do(self, task: str, watch: Path | None = None, **arguments: Any) -> Any:
        """Do a task, and wait for its answer.

        Args:
            task: name of a method of `Worker`.
            watch: a folder; the task continues while its files grow.
            **arguments: of the method.

        Raises:
            WandbError: the task failed, or took too long.
        """
        self._process = self._process or self._start()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        answers: list[str] = []
        listener = threading.Thread(
            target=lambda out: answers.append(out.readline()),
            args=(self._process.stdout,),
            daemon=True,
        )
        try:
            self._process.stdin.write(json.dumps({"task": task, **arguments}) + "\n")
            self._process.stdin.flush()
            listener.start()
            _wait(listener, self._patience, watch)
        except BaseException:
            self.stop()
            raise
        answer = json.loads(answers[0]) if answers and answers[0] else {"error": _TOO_LATE}
        if _TOO_LATE in answer.get("error", ""):
            self.stop()
            raise WandbError(
                f"The wandb server did not answer for {self._patience:g} seconds: try again "
                "later; what has been transferred is kept.",
                code="wandb-hangs",
                seconds=self._patience,
            )
        if "error" in answer:
            raise WandbError(
                f"wandb refused the request ({answer['error']}): check the key (`wandb login`), "
                "OPTEXP_WANDB_ENTITY and OPTEXP_WANDB_PROJECT, then rerun the command.",
                code="wandb-refused",
                reason=answer["error"],
            )
        return answer["answer"]

    def stop(self) -> None:
        """End the process, even if it is waiting."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):  # what it did not read
                    stream.close()  # pyright: ignore[reportOptionalMemberAccess]
            self._process = None
            shutil.rmtree(self._cache, ignore_errors=True)

    def _start(self) -> subprocess.Popen[str]:
        request = {"workspace": str(self._workspace), "patience": self._patience / 2}
        with checked_files.writing(self._workspace):
            self._cache = client.cache_in(self._workspace)
        return client.start_module(_MODULE, json.dumps(request), self._cache)


def _wait(listener: threading.Thread, patience: float, watch: Path | None) -> None:
    """Wait for an answer while files grow, and then for at most `patience` seconds."""
    before = None
    while listener.is_alive():
        listener.join(patience)
        now = _size(watch)
        if now == before or watch is None:
            return
        before = now


def _size(folder: Path | None) -> int:
    if folder is None or not folder.exists():
        return 0
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def each(
    tasks: Sequence[Task],
    work: Callable[[RemoteWorker, Task], None],
    workspace: Path,
    at_once: int,
    patience: float = PATIENCE,
) -> Iterator[tuple[Task, OptexpError | None]]:
    """Do tasks with several workers; yield each when it ends, with the reason if it failed.

    Args:
        tasks: what to do.
        work: does one task, with a worker of its own.
        workspace: where the runs are.
        at_once: number of workers.
        patience: seconds without progress after which a task is given up.
    """
    idle = [RemoteWorker(workspace, patience) for _ in range(min(at_once, len(tasks)))]
    workers, left, running = list(idle), list(tasks), {}
    with ThreadPoolExecutor(max(1, len(workers))) as threads:
        try:
            while left or running:
                while left and idle:
                    worker, task = idle.pop(), left.pop(0)
                    running[threads.submit(work, worker, task)] = (worker, task)
                ended: set[Future[None]] = wait(running, return_when=FIRST_COMPLETED)[0]
                for future in ended:
                    worker, task = running.pop(future)
                    idle.append(worker)
                    yield task, _error_of(future)
        finally:
            for worker in workers:
                worker.stop()


def _error_of(future: Future[None]) -> OptexpError | None:
    error = future.exception()
    if error is None or isinstance(error, OptexpError):
        return error
    raise error
