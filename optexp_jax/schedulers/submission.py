"""Find submitted arrays: a folder in the workspace for each, and the tasks that SLURM knows."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from optexp_jax.errors import OptexpError
from optexp_jax.results import checked_files
from optexp_jax.schedulers.base import Scheduler, Task, TaskState
from optexp_jax.schedulers.known import all_schedulers
from optexp_jax.schedulers.manifest import Manifest, Run


@dataclasses.dataclass(frozen=True)
class Submission:
    """Describe a submitted array.

    Args:
        scheduler: to which it was submitted.
        folder: `<workspace>/<scheduler>/<name>/` with `manifest.json`, `job.sh`, `submitted.json`
            and `logs/`.
        job: id of the array.
    """

    scheduler: Scheduler
    folder: Path
    job: str

    def log(self, index: int) -> Path:
        """Return the file with the output of a task."""
        return self.folder / "logs" / f"task-{index}.log"

    @property
    def manifest(self) -> Manifest:
        """The manifest, which lists the runs of its tasks."""
        return Manifest.read(self.folder / "manifest.json")


@dataclasses.dataclass(frozen=True)
class RunTask:
    """Describe the newest task that contains a run.

    Args:
        submission: the array.
        index: of the task.
        state: of the task, from the scheduler.
    """

    submission: Submission
    index: int
    state: TaskState

    @property
    def task(self) -> Task:
        """The task as the scheduler knows it."""
        return Task(self.submission.job, self.index, self.submission.folder.name)

    @property
    def is_alive(self) -> bool:
        """Whether it is queued or running."""
        return self.state.is_alive

    @property
    def last_line(self) -> str:
        """Return the last line of its log that is not progress, or else the last line."""
        log = self.submission.log(self.index)
        try:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:  # it never began
            lines = []
        said = [line.strip() for line in reversed(lines) if line.strip()]
        return next((line for line in said if not line.startswith("[")), next(iter(said), ""))


@contextlib.contextmanager
def new_folder(workspace: Path, scheduler: Scheduler, name: str) -> Iterator[Path]:
    """Make a new folder for a submission, and remove it if the block fails."""
    folder = _unused(workspace.absolute() / scheduler.name, name)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # what went wrong before matters more
        raise


def _unused(parent: Path, name: str) -> Path:
    number = 1
    while True:
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            (folder / "logs").mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise checked_files.unwritable(parent, error) from error
        else:
            return folder


def submissions(workspace: Path, scheduler: Scheduler) -> list[Submission]:
    """List the submissions of a workspace to a scheduler, oldest first."""
    sent = []
    for path in (workspace / scheduler.name).glob("*/submitted.json"):
        entries = checked_files.read_json(path)
        submission = Submission(scheduler, path.parent, str(entries.get("job")))
        sent.append((str(entries.get("sent")), submission))
    return [submission for _, submission in sorted(sent, key=lambda pair: pair[0])]


def tasks_of_runs(workspace: Path) -> dict[Run, RunTask]:
    """Find the newest task of every submitted run; without its scheduler, it has no state.

    Raises:
        OptexpError: a manifest is damaged.
    """
    found: dict[Run, RunTask] = {}
    for scheduler in all_schedulers().values():
        sent = submissions(workspace, scheduler)
        states = _states(scheduler, sent)
        for submission in sent:
            for index, packs in enumerate(submission.manifest.tasks):
                # Ids of jobs begin anew with a new cluster, so the name has to be right, too.
                known = Task(submission.job, index, submission.folder.name)
                task = RunTask(submission, index, states.get(known, TaskState()))
                found |= {run: task for pack in packs for run in pack}
    return found


def _states(scheduler: Scheduler, sent: list[Submission]) -> Mapping[Task, TaskState]:
    if not sent:
        return {}
    try:
        return scheduler.states([s.job for s in sent])
    except OptexpError:  # reports are read on other machines, too
        return {}
