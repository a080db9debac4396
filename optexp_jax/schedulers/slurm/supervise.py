"""Supervise a task from inside: start the processes that train, pass signals on, requeue the task.

This module does not import JAX, since a process that holds a device keeps it from those that train.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from optexp_jax.errors import OptexpError
from optexp_jax.runner.output import complain, safe_output
from optexp_jax.schedulers.base import Task
from optexp_jax.schedulers.manifest import Manifest
from optexp_jax.schedulers.slurm import cluster
from optexp_jax.schedulers.slurm.scheduler import SLURM

_SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
_GPU_SHARE = 0.9  # of its memory, by all processes that share it


def main(path: Path) -> int:
    """Run the task that the environment names; return its exit code."""
    manifest = Manifest.read(path)
    index = _from_environment("SLURM_ARRAY_TASK_ID")
    if not 0 <= index < len(manifest.tasks):
        raise OptexpError(
            f"{path} has no task {index}: submit again with --slurm.",
            code="no-such-task",
            path=path,
            task=index,
        )
    code = run_task(manifest, path, index)
    task = Task(str(_from_environment("SLURM_ARRAY_JOB_ID")), index)
    if _was_stopped(code):
        _requeue(manifest, task)
    return 128 - code if code < 0 else code


def run_task(manifest: Manifest, path: Path, index: int) -> int:
    """Run the packs of a task side by side.

    Returns:
        0 if all packs succeed; else the exit code of the first process that was stopped or killed,
        which resumes when the task is requeued; else that of the first process that failed.
    """
    packs = manifest.tasks[index]
    with contextlib.ExitStack() as stack:
        children = []
        # srun ends its processes at once by SIGTERM, but passes SIGUSR1 on.
        as_number = signal.SIGUSR1 if manifest.processes > 1 else None
        stack.enter_context(_passing_on(children, as_number))
        for number in range(len(packs)):
            program = _in_container(manifest, manifest.command)
            command = [*program, "--task", str(path), "--process", str(number)]
            log = None
            if len(packs) > 1:
                log = stack.enter_context(open(path.parent / _log_name(index, number), "ab"))
            child = subprocess.Popen(
                _over_processes(manifest, command),
                env=os.environ | _share(len(packs)),
                stdout=log,
                stderr=subprocess.STDOUT if log else None,
            )
            children.append(child)
        codes = [child.wait() for child in children]
    for number, code in enumerate(codes):
        if len(codes) > 1 or code:
            say(f"Process {number} ended with exit code {code}.")
    again = [code for code in codes if _was_stopped(code)]
    return next(iter([*again, *(code for code in codes if code)]), 0)


def _was_stopped(code: int) -> bool:
    """Check whether a signal ended a process, or a process that it had started."""
    return code < 0 or code > 128


def _log_name(index: int, number: int) -> str:
    return f"logs/task-{index}-{number}.log"


def _in_container(manifest: Manifest, command: Sequence[str]) -> list[str]:
    """Return the command, run by the Python of the container if the profile names one."""
    if not manifest.container:
        return list(command)
    gpu = ["--nv"] if os.environ.get("CUDA_VISIBLE_DEVICES") else []
    binds = ["--bind", f"{manifest.workspace},{manifest.folder}"]
    return ["apptainer", "exec", *gpu, *binds, manifest.container, "python", *command[1:]]


def _over_processes(manifest: Manifest, command: Sequence[str]) -> list[str]:
    """Return the command, started on every node of the task if several train one pack."""
    if manifest.processes == 1:
        return list(command)
    cpus = os.environ.get("SLURM_CPUS_PER_TASK", "1")  # which srun does not take over by itself
    tasks = f"--ntasks={manifest.processes}"
    return ["srun", tasks, f"--cpus-per-task={cpus}", "--kill-on-bad-exit=1", *command]


def _share(number: int) -> dict[str, str]:
    """Return the environment of a process that shares a GPU with others."""
    if number == 1:
        return {}
    return {"XLA_PYTHON_CLIENT_MEM_FRACTION": f"{_GPU_SHARE / number:.3f}"}


@contextlib.contextmanager
def _passing_on(
    children: Sequence[subprocess.Popen[bytes]], as_number: int | None
) -> Iterator[None]:
    """Pass signals on to the children, unchanged or as another signal, and do not end."""

    def handler(number: int, frame: FrameType | None) -> None:
        del frame
        say(f"Received {signal.Signals(number).name}.")
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(as_number or number)

    for number in _SIGNALS:
        signal.signal(number, handler)
    yield
    for number in _SIGNALS:  # ending is all that is left to do: what comes now changes nothing
        signal.signal(number, signal.SIG_IGN)


def _requeue(manifest: Manifest, task: Task) -> None:
    """Requeue the task, unless it was cancelled or reached its number of requeues."""
    before = _from_environment("SLURM_RESTART_COUNT", 0)
    if before >= manifest.max_requeues:
        say(f"{task} was queued again {before} times: submit again with --slurm to resume.")
        return
    try:
        fate = cluster.fate_of(task, before)
        if fate == "cancelled":
            say(f"{task} was cancelled: submit again with --slurm to resume.")
            return
        say(f"{task} is queued again and will resume.")
        if fate == "stopped":
            SLURM.requeue(task)
    except OptexpError as error:
        say(f"{error} Submit again with --slurm to resume.")


def _from_environment(name: str, default: int | None = None) -> int:
    text = os.environ.get(name, "" if default is None else str(default))
    if not cluster.is_number(text):
        raise OptexpError(
            f"{name} is '{text}': this command runs only inside a task of an array, see --slurm.",
            code="not-inside-a-task",
            name=name,
            value=text,
        )
    return int(text)


def say(sentence: str) -> None:
    """Print a line with the time, at once."""
    print(f"[{time.strftime('%Y-%m-%d %H:%M:%S')}] {sentence}", flush=True)


if __name__ == "__main__":
    with safe_output():  # a log that is full keeps no task from being queued again
        try:
            sys.exit(main(Path(sys.argv[1])))
        except OptexpError as error:
            complain(str(error))
            sys.exit(2)
