"""Implement the interface of a scheduler for SLURM."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from optexp_jax.errors import OptexpError
from optexp_jax.schedulers.base import Task, TaskState
from optexp_jax.schedulers.slurm import cluster

if TYPE_CHECKING:
    from optexp_jax.schedulers.manifest import Manifest
    from optexp_jax.schedulers.resources import Resources


class Slurm:
    """Submit arrays with `sbatch`; `slurm.supervise` supervises their tasks."""

    name = "slurm"

    def script(
        self,
        manifest: Manifest,
        resources: Resources,
        folder: Path,
        environment: Mapping[str, str],
    ) -> str:
        """Write the batch script from the template `job.sh`."""
        from optexp_jax.schedulers.slurm.script import script  # with pandas, which options need not

        return script(manifest, resources, folder, environment)

    def submit(self, script: Path) -> str:
        """Submit a script with `sbatch`; return the id of its job."""
        return cluster.submit(script)

    def max_tasks(self) -> int | None:
        """Return the most tasks that the cluster accepts in an array; None if it does not say."""
        return cluster.most_tasks()

    def states(self, jobs: Sequence[str] = ()) -> Mapping[Task, TaskState]:
        """Return the states of this user's tasks from the queue, or else from accounting."""
        known = cluster.queue()
        recent = {task.job for task in known}
        words = cluster.accounted([job for job in jobs if job not in recent]) | known
        return {task: _state(word) for task, word in words.items()}

    def cancel(self, tasks: Sequence[Task]) -> None:
        """Cancel tasks with `scancel`."""
        cluster.cancel(tasks)

    def requeue(self, task: Task) -> None:
        """Requeue a task; ends this process if it runs in that task."""
        cluster.requeue(task)

    def task_index(self) -> int | None:
        """Return the number of the task in which this process runs; None outside of a task."""
        text = os.environ.get("SLURM_ARRAY_TASK_ID", "")
        return int(text) if cluster.is_number(text) else None

    def join_processes(self) -> None:
        """Connect the processes of an `srun` step, each with its share of the GPUs."""
        import jax  # which supervise must not import

        jax.distributed.initialize(local_device_ids=_gpus_of_process(os.environ))


SLURM = Slurm()


def _state(word: str) -> TaskState:
    if word == "RUNNING":
        return TaskState("running", word)
    return TaskState("waiting" if word in cluster.ALIVE else "ended", word)


def _gpus_of_process(environ: Mapping[str, str]) -> list[int] | None:
    """Return this process's equal share of the GPUs of its node; None without GPUs.

    JAX takes one GPU for each process of a SLURM step unless it is broadcast.

    >>> _gpus_of_process({"CUDA_VISIBLE_DEVICES": "0,1,2,3", "SLURM_NTASKS": "4",
    ...     "SLURM_STEP_NUM_NODES": "2", "SLURM_LOCALID": "1"})
    [2, 3]
    """
    visible = environ.get("CUDA_VISIBLE_DEVICES", "")
    if not visible:
        return None
    processes = int(environ["SLURM_NTASKS"]) // int(environ.get("SLURM_STEP_NUM_NODES", "1"))
    share = len(visible.split(",")) // processes
    if share == 0:
        raise OptexpError(
            f"{processes} processes of a node see only the GPUs {visible}: request as many gpus "
            "as processes in the profile.",
            code="too-few-gpus",
            processes=processes,
            visible=visible,
        )
    first = share * int(environ["SLURM_LOCALID"])
    return list(range(first, first + share))
