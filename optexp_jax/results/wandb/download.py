"""Download finished runs from wandb to `wandb_cache/<group>/<id>/`, in the workspace's format."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from optexp_jax.atomic_write import atomic_write
from optexp_jax.config import Settings
from optexp_jax.experiment import Experiment
from optexp_jax.results import checked_files
from optexp_jax.results.run_folders import DOWNLOADED, RunFolders, downloaded
from optexp_jax.results.store import RunFolder
from optexp_jax.results.wandb import history
from optexp_jax.results.wandb.remote import RemoteRun, runs_of
from optexp_jax.results.wandb.workers import PATIENCE, RemoteWorker, WandbError, each

_AT_ONCE = 4


def wanted(
    experiments: Sequence[Experiment],
    settings: Settings,
    folders: RunFolders,
    patience: float = PATIENCE,
) -> tuple[list[tuple[Experiment, RemoteRun]], int, int]:
    """Ask the server which finished runs it has that are not here.

    Args:
        experiments: the runs.
        settings: the workspace, and the projects.
        folders: of the workspace.
        patience: seconds to wait for an answer.

    Returns:
        the runs to download, how many are here already, and how many the server has not finished.

    Raises:
        WandbError: the server refuses, or does not answer.
    """
    remote = runs_of((e.group for e in experiments), settings, patience)
    found, here, lacking = [], 0, 0
    for experiment in experiments:
        runs = [r for r in remote[experiment.group] if r.key == experiment.id]
        finished = [r for r in runs if r.state == "finished" and (r.artifact or r.has_all_rows)]
        if _is_here(folders[experiment]):
            here += 1
        elif not finished:
            lacking += 1
        elif _is_same(downloaded(settings.workspace, experiment), finished[-1]):
            here += 1
        else:
            found.append((experiment, finished[-1]))
    return found, here, lacking


def _is_here(folder: RunFolder) -> bool:
    return folder.has_ended() and not folder.damage()


def _is_same(folder: RunFolder, run: RemoteRun) -> bool:
    """Check whether a downloaded run is complete and the same as on the server."""
    said = run.config.get("results")
    return _is_here(folder) and said in (None, history.fingerprint(folder.path))


def fetch(
    runs: Sequence[tuple[Experiment, RemoteRun]], settings: Settings, patience: float = PATIENCE
) -> Iterator[tuple[Experiment, str | None]]:
    """Download runs, several at a time; each appears completely or not at all.

    Args:
        runs: the runs to download.
        settings: the workspace.
        patience: seconds without progress after which one is given up.

    Yields:
        each run when it ends, with a sentence if it failed.
    """

    def bring(worker: RemoteWorker, task: tuple[Experiment, RemoteRun]) -> None:
        experiment, run = task
        place = downloaded(settings.workspace, experiment)
        with checked_files.writing(place.path.parent), atomic_write(place.path) as aside:
            _bring(worker, experiment, run, aside)

    for (experiment, _), error in each(runs, bring, settings.workspace, _AT_ONCE, patience):
        yield experiment, None if error is None else str(error)


def _bring(worker: RemoteWorker, experiment: Experiment, run: RemoteRun, aside: Path) -> None:
    """Make the folder of a run from its artifact, or else from its history."""
    if run.artifact is None:
        rows = worker.do("fetch", path=run.path, target=str(aside), rows=True)["rows"]
        write_history(RunFolder(aside.parent, experiment, aside), rows, run)
    else:
        worker.do("fetch", watch=aside, path=run.path, target=str(aside), rows=False)
    found = RunFolder(aside.parent, experiment, aside)
    if not found.is_finished():
        raise WandbError(
            f"wandb has only a part of {experiment.short_id}: rerun --sync on the machine that ran "
            "it.",
            code="wandb-not-whole",
            experiment=experiment.short_id,
        )
    found.read_rows()  # which compares all hashes
    _keep_times(found)


def write_history(folder: RunFolder, rows: Iterable[dict[str, float]], run: RemoteRun) -> None:
    """Write the rows of a history as a run of the workspace.

    The server returns whole numbers as integers, and absent values as None or not at all. Columns
    get their type, and NaN where a row has no value.

    Raises:
        DamagedError: rows are missing.
    """
    if folder.experiment.per_class:
        raise WandbError(
            f"wandb has no losses by class of {folder.experiment.short_id}: rerun --sync on the "
            "machine that ran it.",
            code="wandb-not-whole",
            experiment=folder.experiment.short_id,
        )
    table = pd.DataFrame(list(rows)).sort_values("_step", ignore_index=True)
    steps = table["_step"].to_numpy(np.int64)
    columns = [name for name in run.config["columns"] if name != "step"]
    values = {name: table[name].to_numpy(np.float64) for name in columns}
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.begin({"train": np.zeros(0, np.int64)}, total_steps=int(run.config["total_steps"]))
    folder.append({"step": steps, **values}, {}, np.zeros(0, np.int64))
    folder.finish(run.config["status"], int(steps[-1]))


def _keep_times(folder: RunFolder) -> None:
    """Set the times of files to those in their status, so that a quick check accepts them."""
    for name, entry in folder.read_status().get("files", {}).items():
        if "modified" in entry:
            with contextlib.suppress(OSError):
                os.utime(folder.path / name, ns=(entry["modified"], entry["modified"]))


def clear(groups: Iterable[str], workspace: Path) -> list[Path]:
    """Remove the downloaded runs of groups; return the removed folders.

    Raises:
        UnwritableError: one cannot be removed.
    """
    gone = []
    for group in dict.fromkeys(groups):
        folder = workspace / DOWNLOADED / group
        if folder.exists():
            with checked_files.writing(folder):
                shutil.rmtree(folder)
            gone.append(folder)
    return gone
