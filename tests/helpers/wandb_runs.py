"""Runs that nobody trained, told to wandb's real client and to a server of this machine."""

import dataclasses
import json
import os

import numpy as np
import pytest
import wandb_server
from small_workspaces import COUNTS, LOSS, run

from optexp_jax.config import Settings
from optexp_jax.results.store import RunFolder
from optexp_jax.results.wandb.describe import describe
from optexp_jax.results.wandb.description import queued
from optexp_jax.results.wandb.sync import publish

SETTINGS = ("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_MODE", "WANDB_CACHE_DIR", "WANDB_DATA_DIR")
VALUES = np.array([1.0, 0.1 + 0.2, 1e-300, -0.0, np.inf, np.nan, 3.0])  # ones that get lost easily


def settings_of(workspace, **fields):
    return Settings(workspace=workspace, **fields)


def record(workspace, experiment, rows=7, how="done", wandb_id="abcd1234", seed=0):
    """A finished run with values that are hard to carry; its folder."""
    steps = np.arange(rows)
    folder = RunFolder(workspace, experiment)
    entries = {"total_steps": rows - 1} | ({"wandb_id": wandb_id} if wandb_id else {})
    folder.begin({"train": COUNTS, "tr": COUNTS}, **entries)
    write(folder, steps, seed)
    folder.finish(how, rows - 1)
    return folder


def write(folder, steps, seed=0):
    """Rows of these steps: each depends on its step alone."""
    loss = VALUES[steps % len(VALUES)] * (1 + seed)
    table = {"step": steps, "epoch": steps / 2, LOSS: 1.0 / (1 + steps), "tr_Accuracy": loss}
    by_class = np.outer(1.0 / (3 + steps), np.arange(len(COUNTS))).astype(np.float32)
    by_class[:, -1] = np.nan
    arrays = {f"{LOSS}PerClass": by_class} if folder.experiment.per_class else {}
    folder.append(table, arrays, steps if arrays else steps[:0])


def experiment_of(rows=7, **fields):
    return run(steps=rows - 1, **fields)


def queue(folder, **fields):
    """Put a run into the queue of its workspace, as the process that runs it does."""
    workspace = folder.workspace
    wandb_id = folder.read_status()["wandb_id"]
    describe(folder.experiment, COUNTS, wandb_id, settings_of(workspace, **fields)).save(workspace)


def waiting(workspace):
    """Wandb ids of the runs in the queue."""
    return [description.wandb_id for _, description in queued(workspace)]


def records(workspace):
    """The offline records of a workspace, by wandb id: there is one of each."""
    found = [p.name.rsplit("-", 1)[1] for p in (workspace / "wandb").glob("offline-run-*")]
    assert len(found) == len(set(found))
    return sorted(found)


def publish_all(found, settings, **fields):
    """What publishing says of runs, by wandb id; nothing of those that arrived."""
    sent = publish(found, settings, **fields)
    return {one.wandb_id: sentence for one, sentence in sent if sentence}


def equal(one, other):
    """Whether two results are equal, bit for bit: tables, arrays and counts."""
    assert one.table.equals(other.table)
    assert (one.table.dtypes == other.table.dtypes).all()
    assert one.per_class.keys() == other.per_class.keys()
    for name, array in one.per_class.items():
        np.testing.assert_array_equal(array, other.per_class[name], strict=True)
    np.testing.assert_array_equal(one.per_class_steps, other.per_class_steps)
    np.testing.assert_array_equal(one.class_counts, other.class_counts)
    return dataclasses.replace(one, details={}) is not None


def rows_on(server, wandb_id):
    """The history that a server has of a run."""
    return [json.loads(line) for line in server.runs[wandb_id]["history"]]


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A wandb server, and an environment that names it."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))  # whose .netrc may hold a key
    with wandb_server.serving() as running:
        monkeypatch.setenv("WANDB_BASE_URL", running.url)
        monkeypatch.setenv("WANDB_API_KEY", wandb_server.KEY)
        assert os.environ["WANDB_BASE_URL"].startswith("http://127.0.0.1")
        yield running
