"""Define the interface of a scheduler: submit, watch, cancel and requeue tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from optexp_jax.schedulers.manifest import Manifest
    from optexp_jax.schedulers.resources import Resources


@dataclasses.dataclass(frozen=True, order=True)
class Task:
    """A task of an array.

    >>> print(Task("17", 3))
    17_3
    """

    job: str  # id of the array
    index: int
    name: str = ""  # of the array

    def __str__(self) -> str:
        return f"{self.job}_{self.index}"


@dataclasses.dataclass(frozen=True)
class TaskState:
    """The state of a task.

    Args:
        phase: `waiting` if it will run or is about to end, `running`, `ended`, or `forgotten` if
            the scheduler no longer knows it.
        word: the scheduler's word for the state.
    """

    phase: Literal["waiting", "running", "ended", "forgotten"] = "forgotten"
    word: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether it is queued or running."""
        return self.phase in ("waiting", "running")


class Scheduler(Protocol):
    """Run arrays of tasks somewhere else, as SLURM does.

    To add one, add a package beside `slurm` whose `__init__.py` has such an object with the name
    `SCHEDULER`. Commands then have an option of its name, and its submissions go to the folder of
    that name in the workspace. For each pack, a task runs the command of the manifest with
    `--task <manifest> --process <number>`.
    """

    @property
    def name(self) -> str:
        """One word: the name of the option on the command line and of the workspace folder."""
        ...

    def script(
        self,
        manifest: Manifest,
        resources: Resources,
        folder: Path,
        environment: Mapping[str, str],
    ) -> str:
        """Write the script that runs any task of a manifest.

        Args:
            manifest: of the array.
            resources: of each task.
            folder: of the submission: `manifest.json` is in it, and logs are `logs/task-<N>.log`.
            environment: variables that tasks need, none of them secret.

        Raises:
            OptexpError: something cannot be written in a script.
        """
        ...

    def submit(self, script: Path) -> str:
        """Submit an array of tasks; return its id.

        Raises:
            OptexpError: the scheduler refuses it, or is not on this machine.
        """
        ...

    def max_tasks(self) -> int | None:
        """Return the most tasks that it accepts in an array; None if it does not say."""
        ...

    def states(self, jobs: Sequence[str] = ()) -> Mapping[Task, TaskState]:
        """Return the states of this user's tasks.

        Args:
            jobs: arrays whose tasks to include even if the queue no longer lists them.

        Raises:
            OptexpError: the scheduler is not on this machine, or does not answer.
        """
        ...

    def cancel(self, tasks: Sequence[Task]) -> None:
        """Cancel tasks, but no other tasks of their arrays."""
        ...

    def requeue(self, task: Task) -> None:
        """Requeue a task; may end this process if it runs in that task."""
        ...

    def task_index(self) -> int | None:
        """Return the number of the task in which this process runs; None outside of a task."""
        ...

    def join_processes(self) -> None:
        """Connect the processes of this task that train one pack together, before JAX starts."""
        ...
