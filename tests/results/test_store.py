"""The folder of a run: parts, damage, full disks, locks, and what is skipped."""

import dataclasses
import errno
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from errors import refuses

import optexp_jax
from optexp_jax import Experiment, Problem
from optexp_jax.atomic_write import atomic_write
from optexp_jax.config import Settings
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear, Zeros
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.results import checked_files
from optexp_jax.results import rows as rows_of
from optexp_jax.results.load import load_results
from optexp_jax.results.store import RunFolder
from optexp_jax.runner.local import run_local
from optexp_jax.runner.options import RunOptions

HOLDER = """
import fcntl, sys, time
handle = open(sys.argv[1], "a")
fcntl.flock(handle, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


def experiment(exponent=-1, steps=3):
    dataset = HeavyTailedOneHot(start_examples=2, base=2)
    model = Linear(dataset.num_inputs, dataset.num_classes, use_bias=False, init_values=Zeros())
    problem = Problem(model, dataset, SquaredLoss())
    rate = LearningRate(exponent)
    return Experiment(problem, SGD(rate), "store", steps=steps, per_class=True)


def rows(first, last, value):
    steps = np.arange(first, last + 1)
    table = {"step": steps, "epoch": steps / 1.0, "tr_SquaredLoss": np.full(len(steps), value)}
    return table, {"tr_SquaredLossPerClass": np.full((len(steps), 2), value)}, steps


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path, experiment())
    folder.begin({"train": np.array([2, 1])}, total_steps=7)
    return folder


def newer(folder, seconds):
    """Make the files of the folder older, so that the next ones are newer."""
    for part in rows_of.parts(folder.path, "metrics") + rows_of.parts(folder.path, "per_class"):
        os.utime(part.path, (seconds, seconds))


# -- parts ------------------------------------------------------------------------------------


def test_overlapping_parts_merge_and_newer_rows_win(folder):
    folder.append(*rows(0, 5, 1.0))
    newer(folder, 1)
    folder.append(*rows(3, 7, 2.0))
    expected = [1.0] * 3 + [2.0] * 5
    for _ in range(2):
        table, arrays, steps = folder.read_rows()
        assert table["step"].tolist() == steps.tolist() == list(range(8))
        assert table["tr_SquaredLoss"].tolist() == expected
        assert arrays["tr_SquaredLossPerClass"][:, 1].tolist() == expected
        folder.finish("done", 7)
    assert rows_of.parts(folder.path, "metrics") == rows_of.parts(folder.path, "per_class") == []
    assert [path.name for path in folder.final_files()] == ["metrics.parquet", "per_class.npz"]
    assert folder.status() == "done"


def test_parts_written_after_a_merge_win_and_rows_beyond_the_end_go(folder):
    folder.append(*rows(0, 7, 1.0))
    folder.finish("done", 7)
    folder.append(*rows(4, 5, 2.0))
    assert folder.read_rows()[0]["tr_SquaredLoss"].tolist() == [1.0] * 4 + [2.0] * 2 + [1.0] * 2
    folder.finish("diverged", 5)
    table, arrays, steps = folder.read_rows()
    assert table["step"].tolist() == steps.tolist() == list(range(6))
    assert len(arrays["tr_SquaredLossPerClass"]) == 6


def test_rows_beyond_the_end_go_also_where_no_arrays_are(tmp_path):
    folder = RunFolder(tmp_path, dataclasses.replace(experiment(), per_class=False))
    folder.begin({"train": np.array([2, 1])}, total_steps=7)
    table, _, steps = rows(0, 7, 1.0)
    folder.append(table, {}, steps[:0])
    folder.finish("diverged", 5)
    assert folder.read_rows().table["step"].tolist() == list(range(6))


def test_no_rows_write_no_file(folder):
    before = sorted(folder.path.iterdir())
    none = np.zeros(0, np.int64)
    folder.append({"step": none}, {}, none)
    assert sorted(folder.path.iterdir()) == before
    table, arrays, steps = folder.read_rows()
    assert (len(table), arrays, len(steps)) == (0, {}, 0)


def test_rows_are_read_without_the_arrays_by_class(folder, monkeypatch):
    folder.append(*rows(0, 7, 1.0))
    folder.finish("done", 7)
    (folder.path / "per_class.npz").unlink()
    table, arrays, steps = folder.read_rows(by_class=False)
    assert (table["step"].tolist(), arrays, len(steps)) == (list(range(8)), {}, 0)
    with refuses("file-damaged"):
        folder.read_rows()
    (folder.path / "metrics.parquet").write_bytes(b"another")
    with refuses("file-damaged"):
        folder.read_rows(by_class=False)


def test_the_status_remembers_what_it_was(folder):
    folder.append(*rows(0, 4, 1.0))
    folder.write_status(step=4)
    folder.begin({"train": np.array([2, 1])})  # after it was killed
    folder.fail("no power")
    with folder.lock():
        folder.begin({"train": np.array([2, 1])})
        folder.append(*rows(4, 7, 1.0))
        folder.finish("done", 7)
    said = folder.read_status()
    history = [(status, step) for _, status, step in said["history"]]
    assert history == [("running", 0), ("running", 4), ("failed", 4), ("running", 4), ("done", 7)]
    assert said["history"][-1][0] == said["updated"]


# -- damage -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A workspace with one finished run, and its results."""
    workspace = tmp_path_factory.mktemp("finished")
    return workspace, optexp_jax.run(experiment(), workspace)


@pytest.fixture
def damaged(finished, tmp_path):
    """A function that copies the finished run and cuts one of its files short."""
    import shutil

    def damage(name):
        workspace = tmp_path / "copy"
        shutil.copytree(finished[0], workspace)
        path = RunFolder(workspace, experiment()).path / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        return workspace, path

    return damage


@pytest.mark.parametrize(
    "name", ["metrics.parquet", "per_class.npz", "status.json", "class_counts.npz"]
)
def test_a_truncated_file_is_named_with_the_remedy(damaged, name):
    workspace, path = damaged(name)
    with refuses("file-damaged", path=path):
        load_results(experiment(), workspace)


def test_a_truncated_definition_is_refused(damaged):
    _, path = damaged("experiment.json")
    with refuses("not-a-definition"):
        Experiment.from_json(path.read_text())


@pytest.mark.parametrize("name", ["metrics.parquet", "status.json"])
def test_the_remedy_works(damaged, finished, name):
    workspace, path = damaged(name)
    if name == "status.json":
        path.unlink()
    again = optexp_jax.run(experiment(), workspace, force=name != "status.json")
    assert again.status == "done"
    assert again.table.equals(finished[1].table)


def test_nothing_stored_needs_pickle(finished):
    workspace, results = finished
    arrays = [p for p in workspace.rglob("*") if p.suffix in (".npz", ".npy")]
    assert len(arrays) == 2
    for path in arrays:
        stored = np.load(path, allow_pickle=False)
        for name in getattr(stored, "files", []):
            assert stored[name].dtype != object
    assert results.status == "done"
    assert not [p for p in workspace.rglob("*") if p.suffix in (".pkl", ".pickle")]


# -- writing ----------------------------------------------------------------------------------


def test_a_full_disk_keeps_earlier_rows_and_leaves_nothing_behind(tmp_path, monkeypatch):
    one, append, calls = experiment(), RunFolder.append, []

    def fill(folder, *arguments):
        calls.append(1)
        if len(calls) > 1:
            monkeypatch.setattr(os, "replace", full)
        return append(folder, *arguments)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    replace = os.replace
    monkeypatch.setattr(RunFolder, "append", fill)
    # Chunks start at one step, so the second call comes before the end.
    with refuses("workspace-unwritable", cause="No space left on device"):
        optexp_jax.run(one, tmp_path)
    monkeypatch.setattr(os, "replace", replace)
    assert not list(tmp_path.rglob(f".{os.getpid()}.*"))
    results = load_results(one, tmp_path)
    assert results.status == "interrupted"
    assert results.table["step"].tolist() == [0]
    monkeypatch.setattr(RunFolder, "append", append)
    assert optexp_jax.run(one, tmp_path).table["step"].tolist() == [0, 1, 2, 3]


def test_what_a_killed_process_began_is_removed(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = platform.node()
    mine, other = f".{ended.pid}.{host}.a.txt", f".{ended.pid}.{host}.b.txt"
    elsewhere, alive = f".{ended.pid}.{host}x.a.txt", f".1.{host}.a.txt"
    for name in (mine, other, elsewhere, alive):
        (tmp_path / name).write_text("begun")
    checked_files.write_text(tmp_path / "a.txt", "whole")
    assert {p.name for p in tmp_path.iterdir()} == {"a.txt", other, elsewhere, alive}


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    checked_files.write_text(path, "old")

    def write():
        with atomic_write(path) as new:
            new.write_text("new and")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("inside", ["", "below"])
def test_a_workspace_that_is_a_file(tmp_path, inside):
    (tmp_path / "file").write_text("")
    with refuses("workspace-unwritable", folder=tmp_path / "file" / inside):
        optexp_jax.run(experiment(), tmp_path / "file" / inside)


def test_a_workspace_that_cannot_be_made():
    with refuses("workspace-unwritable", folder=Path("/proc/none")):
        optexp_jax.run(experiment(), Path("/proc/none"))


# -- who runs what ----------------------------------------------------------------------------


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock of a run, as one that trains it does."""
    folder = RunFolder(tmp_path, experiment())
    folder.begin({"train": np.array([2, 1])})
    arguments = [sys.executable, "-c", HOLDER, str(folder.path / ".lock")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_leaves_a_busy_run_alone(tmp_path, holder):
    busy, free = experiment(), experiment(-2)
    assert load_results(busy, tmp_path).status == "running"
    outcome = run_local([busy, free], Settings(tmp_path, wandb_enabled=False))
    assert (outcome.busy, outcome.failed, outcome.skipped) == ([busy], [], [])
    assert len(load_results(busy, tmp_path).table) == 0
    assert load_results(free, tmp_path).status == "done"
    with refuses("experiment-busy", experiment=busy.short_id):
        optexp_jax.run(busy, tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert load_results(busy, tmp_path).status == "interrupted"
    assert optexp_jax.run(busy, tmp_path).status == "done"


def test_done_runs_are_skipped_and_force_runs_them_again(finished, tmp_path):
    settings = Settings(tmp_path, wandb_enabled=False)
    one = experiment()
    assert run_local([one, one], settings).skipped == []
    folder = RunFolder(tmp_path, one)
    before = folder.read_status()
    assert run_local([one], settings).skipped == [one]
    assert folder.read_status() == before
    (folder.path / "error.txt").write_text("of an earlier attempt")
    assert run_local([one], settings, RunOptions(force=True)).skipped == []
    assert not (folder.path / "error.txt").exists()
    assert load_results(one, tmp_path).table.equals(finished[1].table)


def test_a_run_that_never_started_is_missing(tmp_path):
    results = load_results(dataclasses.replace(experiment(), seed=9), tmp_path)
    assert results.status == "missing"
    assert len(results.table) == len(results.per_class_steps) == len(results.class_counts) == 0
    assert (results.per_class, results.details) == ({}, {})
    assert not list(tmp_path.iterdir())


def test_a_part_that_is_renewed_while_it_is_read_is_read_again(folder, monkeypatch):
    folder.append(*rows(0, 3, 1.0))
    read, renewed = checked_files.read_bytes, []

    def renewing(path):
        if path.name.startswith("metrics-") and not renewed:
            renewed.append(path)
            folder.append(*rows(0, 3, 2.0))  # removes the part that was listed
        return read(path)

    monkeypatch.setattr(checked_files, "read_bytes", renewing)
    assert folder.read_rows().table["tr_SquaredLoss"].tolist() == [2.0] * 4
    assert not renewed[0].exists()
