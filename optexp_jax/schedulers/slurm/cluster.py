"""Call SLURM's programs without a shell, and turn their refusals into errors."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from optexp_jax.errors import OptexpError, cause_of
from optexp_jax.schedulers.base import Task

WAITING = ("PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT", "CONFIGURING", "SUSPENDED")
ALIVE = (*WAITING, "RUNNING", "COMPLETING", "STAGE_OUT", "SIGNALING", "STOPPED", "RESIZING")

_SECONDS = 60.0
_ACCOUNT = re.compile(r"([0-9]+)_([0-9]+)\|(\w+)[^|]*\|(.*)")


def is_number(text: str) -> bool:
    """Check whether a text is a whole number from 0 in plain digits, as SLURM writes them.

    >>> is_number("17"), is_number("²"), is_number("-1"), is_number("")
    (True, False, False, False)
    """
    return text.isascii() and text.isdecimal()


class NoSlurmError(OptexpError):
    """Signal that SLURM is not on this machine, or does not answer."""


def _call(*command: str) -> str:
    """Return the output of a program.

    Raises:
        NoSlurmError: it is not on this machine.
        OptexpError: it refused; the error quotes its reason.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=_SECONDS
        )
    except FileNotFoundError as error:
        raise NoSlurmError(
            f"{command[0]} is not installed on this machine: call this on a machine with SLURM, "
            "or use --local.",
            code="command-missing",
            command=command[0],
        ) from error
    except OSError as error:
        raise NoSlurmError(
            f"{command[0]} cannot be called ({cause_of(error)}): call this on a machine with "
            "SLURM, or use --local.",
            code="command-not-callable",
            command=command[0],
            cause=cause_of(error),
        ) from error
    except subprocess.TimeoutExpired as error:
        raise NoSlurmError(
            f"{command[0]} did not answer for {_SECONDS:.0f} s: try again later.",
            code="command-silent",
            command=command[0],
            seconds=_SECONDS,
        ) from error
    if done.returncode:
        words = [line.partition("error: ")[2] or line for line in done.stderr.splitlines() if line]
        raise OptexpError(
            f"{command[0]} refused: {' '.join(words) or done.returncode}",
            code="command-refused",
            command=command[0],
            answer=" ".join(words),
            returncode=done.returncode,
        )
    return done.stdout


def submit(script: Path) -> str:
    """Submit a script; return the id of its job.

    Raises:
        OptexpError: sbatch refused, or is not on this machine.
    """
    answer = _call("sbatch", "--parsable", str(script)).strip()
    job = answer.splitlines()[-1].partition(";")[0] if answer else ""
    if not is_number(job):
        raise OptexpError(
            f"sbatch gave no job number, but the answer '{answer}': look for the job with squeue "
            "--me.",
            code="no-job-named",
            answer=answer,
        )
    return job


def queue() -> dict[Task, str]:
    """Map this user's tasks that SLURM still knows, even ended ones, to their state.

    Raises:
        NoSlurmError: SLURM is not on this machine.
        OptexpError: it does not answer.
    """
    listed = _call("squeue", "--me", "-h", "-r", "-t", "all", "-o", "%F|%K|%T|%j")
    tasks = {}
    for line in listed.split("\n"):  # the names of other jobs may have further ends of lines
        match line.split("|", 3):
            case [job, index, state, name] if is_number(job) and is_number(index):
                tasks[Task(job, int(index), name)] = state
    return tasks


def accounted(jobs: Sequence[str]) -> dict[Task, str]:
    """Return the states of ended tasks from accounting; empty without accounting."""
    if not jobs:
        return {}
    try:
        listed = _call("sacct", "-n", "-P", "-X", "-j", ",".join(jobs), "-o", "JobID,State,JobName")
    except OptexpError:  # many clusters, and most small ones, keep no accounts
        return {}
    found = (_ACCOUNT.fullmatch(line) for line in listed.split("\n"))
    return {Task(m[1], int(m[2]), m[4]): m[3] for m in found if m}


def fate_of(task: Task, restarts: int) -> str:
    """Find out what happens to a task whose processes were stopped.

    Args:
        task: this one.
        restarts: how often it was requeued before it ran.

    Returns:
        `requeued` if SLURM requeues it, as after a preemption; `stopped` if it runs, reached its
        time limit or was preempted, so that we may requeue it; `cancelled` if somebody did so.
    """
    shown = _call("scontrol", "show", "job", "-o", str(task))
    fields = dict(re.findall(r"(\w+)=(\S*)", shown))
    again = fields.get("Restarts", "0")
    if is_number(again) and int(again) > restarts:
        return "requeued"
    preempted = fields.get("PreemptTime", "None") != "None"
    stopped = fields.get("JobState") == "RUNNING" or fields.get("Reason") == "TimeLimit"
    return "stopped" if stopped or preempted else "cancelled"


def requeue(task: Task) -> None:
    """Requeue a task; ends this process if it runs in that task."""
    _call("scontrol", "requeue", str(task))


def cancel(tasks: Sequence[Task]) -> None:
    """Cancel tasks, but no other tasks of their arrays."""
    for start in range(0, len(tasks), 100):
        _call("scancel", *(str(task) for task in tasks[start : start + 100]))


def most_tasks() -> int | None:
    """Return the most tasks that the cluster accepts in an array; None if it does not say."""
    match = re.search(r"MaxArraySize\s*=\s*([0-9]+)", _call("scontrol", "show", "config"))
    return max(1, int(match[1])) if match else None
