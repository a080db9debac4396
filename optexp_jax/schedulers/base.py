"""What a scheduler does: tasks are sent to it, watched, cancelled and queued again."""

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
    """What becomes of a task.

    Args:
        phase: `waiting` if it will run or is about to end, `running`, `ended`, or `forgotten` where
            the scheduler does not know it any more.
        word: for the state, in the words of the scheduler.
    """

    phase: Literal["waiting", "running", "ended", "forgotten"] = "forgotten"
    word: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether it waits or runs."""
        return self.phase in ("waiting", "running")


class Scheduler(Protocol):
    """A program that runs arrays of tasks somewhere else, such as SLURM.

    A new one is one new package beside `slurm`, whose `__init__.py` has an object of this kind that
    is called `SCHEDULER`: commands then have an option of its name, and its submissions are in the
    folder of that name in the workspace. What a task runs is the command of the manifest with
    `--task <manifest> --process <number>`, once for each pack of the task.
    """

    @property
    def name(self) -> str:
        """One word: of the option of the command line, and of the folder in the workspace."""
        ...

    def script(
        self,
        manifest: Manifest,
        resources: Resources,
        folder: Path,
        environment: Mapping[str, str],
    ) -> str:
        """The text of the script that runs any task of a manifest.

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
        """Send an array of tasks; returns its id.

        Raises:
            OptexpError: it is refused, or the scheduler is not here.
        """
        ...

    def max_tasks(self) -> int | None:
        """The most tasks of an array that it takes; None if it does not say."""
        ...

    def states(self, jobs: Sequence[str] = ()) -> Mapping[Task, TaskState]:
        """The states of this user's tasks.

        Args:
            jobs: arrays whose tasks are wanted also after they have been forgotten by the queue.

        Raises:
            OptexpError: the scheduler is not here, or does not answer.
        """
        ...

    def cancel(self, tasks: Sequence[Task]) -> None:
        """Cancel tasks, and no others of their arrays."""
        ...

    def requeue(self, task: Task) -> None:
        """Queue a task again; may end this process if it runs in it."""
        ...

    def task_index(self) -> int | None:
        """The number of the task that this process runs in; None outside of a task."""
        ...

    def join_processes(self) -> None:
        """Connect the processes of this task that run one pack together, before JAX is used."""
        ...
