"""Make offline records for `wandb sync` from the files of runs: one folder for each run."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from optexp_jax.results import status
from optexp_jax.results.wandb import client, history
from optexp_jax.results.wandb.description import RunDescription

_FIXED, _VALUE, _FEWEST = 8 << 10, 40, 20  # bytes of a record, and of a value beside its name


def make_record(
    wandb: Any,
    workspace: Path,
    description: RunDescription,
    target: Path,
    thin: bool = False,
    without: Collection[int] = (),
) -> Path:
    """Record a run that has ended.

    Args:
        wandb: what `client.connect` returned.
        workspace: that has the run.
        description: of the run.
        target: folder for the record, which appears completely and replaces older ones.
        thin: whether to leave out rows, so that the record is no larger than the files of the
            run, which the record has as an artifact.
        without: steps whose rows are left out.

    Returns:
        the folder of the record.

    Raises:
        DamagedError: a file of the run is damaged.
        OSError: the workspace cannot be written.
    """
    folder = workspace / description.folder
    said = status.read(folder / "status.json", description.key)
    recorded = history.read(folder, description.key, said)
    aside = target / f".making-{description.wandb_id}"
    shutil.rmtree(aside, ignore_errors=True)
    try:
        config = history.columns(description, recorded, said, folder)
        run = client.start(wandb, description, config, aside, "offline")
        steps = recorded.rows.table["step"].to_numpy()
        if thin:
            steps = history.thinned(recorded, _rows_that_fit(folder, recorded, description))
        steps = np.setdiff1d(steps, list(without))
        client.log(run, history.history(recorded, description.groups, steps))
        files = history.files_of(folder)
        summary = history.summary(recorded, description.metric, said)
        client.finish(wandb, run, summary, files, folder, config["results"])
        return _put_in_place(aside, target, description.wandb_id)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def is_due(description: RunDescription, said: Mapping[str, Any]) -> bool:
    """Check whether the run has ended and is still the described one."""
    return said.get("status") in status.FINISHED and belongs(description, said)


def belongs(description: RunDescription, said: Mapping[str, Any]) -> bool:
    """Check whether a status belongs to the described run, not to one that replaced it."""
    return said.get("wandb_id") in (None, description.wandb_id)


def _rows_that_fit(folder: Path, recorded: history.Recorded, description: RunDescription) -> int:
    size = sum(file.stat().st_size for file in history.files_of(folder))
    names = [*recorded.rows.table.columns, "_runtime", "_timestamp"]
    by_class = recorded.rows.per_class
    names += [f"{name}/group_{g}" for name in by_class for g in range(len(description.groups))]
    return max(_FEWEST, (size - _FIXED) // sum(len(name) + _VALUE for name in names))


def _put_in_place(aside: Path, target: Path, wandb_id: str) -> Path:
    (made,) = (aside / "wandb").glob(f"offline-run-*-{wandb_id}")
    client.tidy(made)
    older = list(target.glob(f"offline-run-*-{wandb_id}"))
    place = target / made.name
    if place in older:  # made within the same second
        shutil.rmtree(place)
    made.rename(place)
    for record in older:
        if record != place:
            shutil.rmtree(record, ignore_errors=True)
    return place
