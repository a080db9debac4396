"""Submit the unfinished runs of a grid, in packs, as arrays of tasks."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from optexp_jax.datasets.data import Data, Split
from optexp_jax.errors import OptexpError, cause_of, remedy_of
from optexp_jax.experiment import Experiment
from optexp_jax.grid import unique
from optexp_jax.results import checked_files
from optexp_jax.results.run_folders import RunFolders, to_read
from optexp_jax.runner.options import RunOptions
from optexp_jax.schedulers.base import Scheduler
from optexp_jax.schedulers.manifest import Manifest, commit_of, in_tasks, now
from optexp_jax.schedulers.resources import Resources
from optexp_jax.schedulers.submission import Submission, new_folder, tasks_of_runs
from optexp_jax.training.memory import shapes_of
from optexp_jax.training.pack import Pack, by_seed, group_into_packs
from optexp_jax.training.pack_size import split_to_fit


@dataclasses.dataclass(frozen=True)
class Request:
    """Hold what to submit, and how.

    Args:
        scheduler: to which to submit.
        packs: the runs of each process.
        resources: of each task.
        command: the command that tasks call, with `--scale`.
        options: how to run experiments.
        workspace: of the results.
        environment: variables that tasks need; none is secret.
    """

    scheduler: Scheduler
    packs: Sequence[Pack]
    resources: Resources
    command: tuple[str, ...]
    options: RunOptions
    workspace: Path
    environment: Mapping[str, str]

    def manifests(self, most: int) -> list[Manifest]:
        """Split the tasks into arrays of at most so many."""
        runs = [tuple(e.run_key for e in pack.experiments) for pack in self.packs]
        tasks = in_tasks(runs, self.resources.per_gpu)
        created, folder = now(), Path.cwd()
        return [
            Manifest(
                command=self.command,
                folder=str(folder),
                workspace=str(self.workspace.absolute()),
                commit=commit_of(folder),
                created=created,
                options=dataclasses.asdict(self.options),
                processes=self.resources.processes_in_all,
                max_requeues=self.resources.max_requeues,
                tasks=tuple(tasks[i : i + most]),
                scheduler=self.scheduler.name,
                container=self.resources.container,
            )
            for i in range(0, len(tasks), most)
        ]

    def script_in(self, folder: Path, manifest: Manifest) -> str:
        """Return the batch script of a manifest in a folder."""
        return self.scheduler.script(manifest, self.resources, folder, self.environment)


def left_to_send(
    experiments: Sequence[Experiment], folders: RunFolders, force: bool
) -> tuple[list[Experiment], int]:
    """Find the runs that are neither done, nor queued, nor running.

    Returns:
        these runs, and the number of those that are queued or running.

    Raises:
        OptexpError: a manifest or a status is damaged.
    """
    tasks = tasks_of_runs(folders.workspace)
    left, busy = [], 0
    for experiment in unique(experiments):
        folder = folders[experiment]
        if not force and to_read(folder).is_finished():
            continue
        task = tasks.get(experiment.run_key)
        if (task and task.is_alive) or folder.is_locked():
            busy += 1
        else:
            left.append(experiment)
    return left, busy


def packs_to_send(
    experiments: Sequence[Experiment], resources: Resources, options: RunOptions, workspace: Path
) -> list[Pack]:
    """Group runs into packs of one group and program, as many as the profile's device holds.

    Tasks look again at the device that they get; they never run more at once than it takes.

    Args:
        experiments: the runs.
        resources: of each task.
        options: how they run; `pack` is the largest number of runs of a pack, or `auto`.
        workspace: of their data.
    """
    groups = dict.fromkeys(e.group for e in experiments)
    whole = [
        dataclasses.replace(found, **options.of_packs)
        for group in groups
        for found in group_into_packs([e for e in experiments if e.group == group])
    ]
    memory, pack = resources.device_bytes, options.pack
    if pack == "auto" and memory is not None:
        known: dict[object, Data] = {}
        return [part for p in whole for part in _fitting(p, memory, workspace, known)]
    most = len(experiments) if pack == "auto" else pack
    return [
        dataclasses.replace(p, experiments=p.experiments[i : i + most])
        for p in whole
        for i in range(0, len(p.experiments), most)
    ]


def _fitting(pack: Pack, memory: int, workspace: Path, known: dict[object, Data]) -> list[Pack]:
    """Split a pack into parts that fit, by shapes: the data of one seed stand for all seeds."""
    first = pack.experiments[0]
    if first.problem.dataset not in known:
        known.clear()
        known[first.problem.dataset] = _shapes(first, workspace)
    data = known[first.problem.dataset]
    parts = [pack] if isinstance(data.train, Split) else by_seed(pack)
    sizes = ("auto", "auto", int(0.8 * memory))
    fitting = [fit for part in parts for fit in split_to_fit(part, data, *sizes)]
    return [dataclasses.replace(fit, micro_batch=None) for fit in fitting]


def _shapes(experiment: Experiment, workspace: Path) -> Data:
    """Return the shapes of the data if the data set knows them, else the data."""
    dataset = experiment.problem.with_data_seed(experiment.seed).dataset
    with contextlib.suppress(OptexpError):  # known only where its files are
        return shapes_of(experiment)
    return dataset.load(workspace)


def send(request: Request, name: str) -> list[Submission]:
    """Submit the arrays of a request.

    An array that is refused leaves nothing behind; those before it stay sent.

    Raises:
        OptexpError: the scheduler refuses or is missing, or the workspace cannot be written.
    """
    scheduler = request.scheduler
    limit = scheduler.max_tasks() or request.resources.max_array
    sent = []
    for manifest in request.manifests(min(limit, request.resources.max_array)):
        with new_folder(request.workspace, scheduler, name) as folder:
            try:
                manifest.write(folder / "manifest.json")
                checked_files.write_text(folder / "job.sh", request.script_in(folder, manifest))
            except OSError as error:
                raise checked_files.unwritable(request.workspace, error) from error
            job = scheduler.submit(folder / "job.sh")
        sent.append(_remembered(Submission(scheduler, folder, job)))
    return sent


def _remembered(submission: Submission) -> Submission:
    """Record a submission, so that its runs are not submitted again."""
    entries = {"job": submission.job, "sent": now()}
    try:
        checked_files.write_text(submission.folder / "submitted.json", json.dumps(entries))
    except OSError as error:
        raise OptexpError(
            f"Job {submission.job} was submitted, but {submission.folder} cannot be written to "
            f"note it ({cause_of(error)}): {remedy_of(error)}, call scancel {submission.job}, and "
            "submit again.",
            code="submission-not-written",
            job=submission.job,
            folder=submission.folder,
            cause=cause_of(error),
        ) from error
    return submission
