"""Send finished runs to wandb that its server lacks, completely or in part."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from optexp_jax.config import Settings
from optexp_jax.experiment import Experiment
from optexp_jax.results.run_folders import RunFolders
from optexp_jax.results.store import RunFolder
from optexp_jax.results.wandb import client, history
from optexp_jax.results.wandb.describe import describe
from optexp_jax.results.wandb.description import RunDescription, derived_id
from optexp_jax.results.wandb.remote import RemoteRun, runs_of, runs_of_group
from optexp_jax.results.wandb.workers import PATIENCE, RemoteWorker, WandbError, each

_AT_ONCE, _BATCH = 2, 8  # processes, and runs that one sends at a time


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Compare the finished runs of a workspace with those of the server.

    Args:
        there: runs that the server has completely.
        missing: runs to send.
        partly: wandb id -> path on the server of runs of which it has some rows.
        unfinished: runs that have not ended, or are damaged.
    """

    there: list[Experiment]
    missing: list[RunDescription]
    partly: dict[str, str]
    unfinished: list[Experiment]


def compare(
    experiments: Sequence[Experiment],
    settings: Settings,
    folders: RunFolders,
    patience: float = PATIENCE,
) -> Comparison:
    """Ask the server which of these experiments it has.

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
    there, missing, partly = [], [], {}
    for experiment in finished:
        folder = folders[experiment]
        fingerprint = history.fingerprint(folder.path)
        if any(r.key == experiment.id and r.holds(fingerprint) for r in remote[experiment.group]):
            there.append(experiment)
            continue
        one = described(folder, settings)
        missing.append(one)
        begun = [r for r in remote[experiment.group] if r.wandb_id == one.wandb_id and r.lines]
        partly |= {run.wandb_id: run.path for run in begun}
    done = {e.run_key for e in finished}
    return Comparison(there, missing, partly, [e for e in experiments if e.run_key not in done])


def described(folder: RunFolder, settings: Settings) -> RunDescription:
    """Describe a finished run for wandb."""
    experiment, said = folder.experiment, folder.read_status()
    own = derived_id(experiment.id, experiment.group, said.get("started", ""))
    counts = folder.class_counts()["train"]
    return describe(experiment, counts, said.get("wandb_id") or own, settings)


def publish(
    found: Comparison, settings: Settings, patience: float = PATIENCE
) -> Iterator[tuple[RunDescription, str | None]]:
    """Upload runs, several at a time, and check that the server has them.

    Args:
        found: what the server lacks.
        settings: the workspace, and the projects.
        patience: seconds to wait for an answer.

    Yields:
        each run when its upload ends, with a sentence if it failed.
    """
    batches, lacking = _batches(found.missing), {}
    with _records(settings.workspace) as target:

        def send(worker: RemoteWorker, batch: Sequence[RunDescription]) -> None:
            _send(worker, batch, found.partly, target)
            now = runs_of_group(batch[0].group, settings, worker)
            lacking.update(_lacking(batch, now, settings.workspace))

        for batch, error in each(batches, send, settings.workspace, _AT_ONCE, patience):
            for one in batch:
                yield one, lacking.get(one.wandb_id) if error is None else str(error)


def _batches(missing: Sequence[RunDescription]) -> list[list[RunDescription]]:
    """Split runs into batches of one group each, which are sent together."""
    groups: dict[str, list[RunDescription]] = {}
    for one in missing:
        groups.setdefault(one.group, []).append(one)
    return [g[i : i + _BATCH] for g in groups.values() for i in range(0, len(g), _BATCH)]


def _send(
    worker: RemoteWorker,
    batch: Sequence[RunDescription],
    partly: Mapping[str, str],
    target: Path,
) -> None:
    folder = Path(tempfile.mkdtemp(dir=target))
    try:
        task = {
            "runs": [dataclasses.asdict(one) for one in batch],
            "partly": {k: path for k, path in partly.items() if k in {o.wandb_id for o in batch}},
            "target": str(folder),
        }
        for sentence in worker.do("publish", watch=folder, **task):
            raise WandbError(f"wandb says: {sentence}", code="wandb-not-sent", reason=sentence)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lacking(
    batch: Sequence[RunDescription], found: Sequence[RemoteRun], workspace: Path
) -> dict[str, str]:
    """Find which uploaded runs the server lacks, by wandb id."""
    remote = {run.wandb_id: run for run in found}
    sentences = {}
    for one in batch:
        fingerprint = history.fingerprint(workspace / one.folder)
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
    """Make a temporary folder for the records to send."""
    folder = client.scratch(workspace, ".sync-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
