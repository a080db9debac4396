"""Sending to wandb what its server does not have of finished runs."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.results.run_folders import RunFolders
from optexp_jax.results.store import RunFolder
from optexp_jax.results.wandb import client, history
from optexp_jax.results.wandb.describe import describe
from optexp_jax.results.wandb.description import RunDescription, derived_id
from optexp_jax.results.wandb.remote import RemoteRun, runs_of
from optexp_jax.results.wandb.workers import PATIENCE, RemoteWorker, WandbError, each

_AT_ONCE, _BATCH = 2, 8  # processes, and runs that one sends at a time


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What the server has of the finished runs of a workspace.

    Args:
        there: whole.
        missing: what is to be sent.
        unfinished: have not ended, or are damaged.
    """

    there: list[Experiment]
    missing: list[RunDescription]
    unfinished: list[Experiment]


def compare(
    experiments: Sequence[Experiment],
    settings: Settings,
    folders: RunFolders,
    patience: float = PATIENCE,
) -> Comparison:
    """Ask the server what it has of experiments.

    Args:
        experiments: the runs.
        settings: the workspace, and the projects.
        folders: of the workspace.
        patience: seconds to wait for an answer.

    Raises:
        WandbError: the server refuses, or does not answer.
    """
    finished = [e for e in experiments if folders[e].has_ended() and not folders[e].damage()]
    remote = runs_of((e.group for e in finished), settings, patience)
    there, missing = [], []
    for experiment in finished:
        folder = folders[experiment]
        fingerprint = history.fingerprint(folder.path)
        if any(r.key == experiment.id and r.holds(fingerprint) for r in remote[experiment.group]):
            there.append(experiment)
        else:
            missing.append(described(folder, settings))
    done = {e.run_key for e in finished}
    return Comparison(there, missing, [e for e in experiments if e.run_key not in done])


def described(folder: RunFolder, settings: Settings) -> RunDescription:
    """What wandb is told of a run that has ended, whoever recorded it and when."""
    experiment, said = folder.experiment, folder.read_status()
    own = derived_id(experiment.id, experiment.group, said.get("started", ""))
    counts = folder.class_counts()["train"]
    return describe(experiment, counts, said.get("wandb_id") or own, settings)


def publish(
    missing: Sequence[RunDescription], settings: Settings, patience: float = PATIENCE
) -> Iterator[tuple[RunDescription, str | None]]:
    """Send runs, several at a time, and ask the server whether it has them now.

    Args:
        missing: what to send.
        settings: the workspace, and the projects.
        patience: seconds to wait for an answer.

    Yields:
        each run as it is sent, and a sentence if it was not.
    """
    batches = _batches(missing)
    with _records(settings.workspace) as target:

        def send(worker: RemoteWorker, batch: Sequence[RunDescription]) -> None:
            _send(worker, batch, target)

        for batch, error in each(batches, send, settings.workspace, _AT_ONCE, patience):
            lacking = _lacking(batch, settings, patience) if error is None else {}
            for one in batch:
                yield one, lacking.get(one.wandb_id) if error is None else str(error)


def _batches(missing: Sequence[RunDescription]) -> list[list[RunDescription]]:
    """Runs that are sent together, all of one group."""
    groups: dict[str, list[RunDescription]] = {}
    for one in missing:
        groups.setdefault(one.group, []).append(one)
    return [g[i : i + _BATCH] for g in groups.values() for i in range(0, len(g), _BATCH)]


def _send(worker: RemoteWorker, batch: Sequence[RunDescription], target: Path) -> None:
    folder = Path(tempfile.mkdtemp(dir=target))
    try:
        runs = [dataclasses.asdict(one) for one in batch]
        for sentence in worker.do("publish", watch=folder, runs=runs, target=str(folder)):
            raise WandbError(f"wandb says: {sentence}", code="wandb-not-sent", reason=sentence)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lacking(
    batch: Sequence[RunDescription], settings: Settings, patience: float
) -> dict[str, str]:
    """What the server lacks of runs that were sent, by wandb id."""
    try:
        found = runs_of([batch[0].group], settings, patience)[batch[0].group]
    except OptexpError as error:
        return {one.wandb_id: str(error) for one in batch}
    remote = {run.wandb_id: run for run in found}
    sentences = {}
    for one in batch:
        fingerprint = history.fingerprint(settings.workspace / one.folder)
        run = remote.get(one.wandb_id)
        if run is None or not run.holds(fingerprint):
            sentences[one.wandb_id] = _what_is_lacking(one, run)
    return sentences


def _what_is_lacking(one: RunDescription, run: RemoteRun | None) -> str:
    if run is None:
        what = "does not have it"
    elif run.state != "finished":
        what = f"has it as {run.state}"
    elif not run.has_all_rows:
        what = f"has {run.lines} of {run.config.get('rows', '?')} rows"
    else:
        what = "lacks its files"
    return f"The wandb server {what}: rerun --sync."


@contextlib.contextmanager
def _records(workspace: Path) -> Iterator[Path]:
    """A folder for records that are sent."""
    folder = client.scratch(workspace, ".sync-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
