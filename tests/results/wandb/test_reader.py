"""The child process that tells wandb of runs: nobody waits for it, and nothing is lost."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from small_workspaces import COUNTS
from wandb_runs import (
    experiment_of,
    queue,
    record,
    records,
    rows_on,
    server,
    settings_of,
    waiting,
    write,
)

from optexp_jax.results.store import RunFolder
from optexp_jax.results.wandb import child, follower
from optexp_jax.results.wandb.child import NoReader, open_reader

__all__ = ["server"]
pytestmark = pytest.mark.slow  # each process of wandb's client takes a second
LONG = 600.0  # seconds


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Makes a reader of a workspace; what it reports is in `reader.said`."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(home))
    readers = []

    def make(**fields):
        said = []
        made = open_reader(settings_of(tmp_path / "w", **fields), said.append)
        made.said = said
        readers.append(made)
        return made

    yield make
    for reader in readers:
        reader.close(LONG)


def started(reader, tmp_path, rows=7, wandb_id="abcd1234", **fields):
    """A run that has begun and has no rows; its folder."""
    experiment = experiment_of(rows=rows, **fields)
    folder = RunFolder(tmp_path / "w", experiment)
    folder.begin({"train": COUNTS, "tr": COUNTS}, total_steps=rows - 1, wandb_id=wandb_id)
    reader.begin(experiment, wandb_id, {"train": COUNTS})
    return folder


def until(true, seconds=600.0):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_wandb_off_starts_nothing(tmp_path):
    reader = open_reader(settings_of(tmp_path, wandb_enabled=False), print)
    assert isinstance(reader, NoReader)
    reader.begin(experiment_of(), "abcd1234", {"train": COUNTS})
    reader.close()
    assert not list(tmp_path.iterdir())


def test_every_run_that_ends_is_recorded_once(opened, tmp_path):
    reader = opened()
    folders = [started(reader, tmp_path, seed=i, wandb_id=f"run{i}") for i in range(3)]
    for folder, how in zip(folders, ("done", "diverged", "failed"), strict=True):
        write(folder, np.arange(7))
        if how == "failed":
            folder.fail("no reason")
        else:
            folder.finish(how, 6)
    reader.close(LONG)
    assert records(tmp_path / "w") == ["run0", "run1"]
    assert waiting(tmp_path / "w") == ["run2"]  # it may be resumed
    assert reader.said == []
    left = {path.name for path in (tmp_path / "w" / "wandb").iterdir()}
    assert {name for name in left if not name.startswith("offline-run")} == {"queue"}
    assert not list((tmp_path / "home").iterdir())


def test_a_resumed_run_has_one_record_of_all_rows(opened, server, tmp_path):
    first = opened()
    folder = started(first, tmp_path)
    write(folder, np.arange(3))
    folder.write_status(status="preempted", step=2)
    first.close(LONG)
    assert records(tmp_path / "w") == []
    second = opened()
    started(second, tmp_path)
    write(folder, np.arange(2, 7))
    folder.finish("done", 6)
    second.close(LONG)
    assert records(tmp_path / "w") == ["abcd1234"]
    command = [sys.executable, "-m", "wandb", "sync", str(tmp_path / "w" / "wandb"), "--yes"]
    subprocess.run(command, check=True, capture_output=True, timeout=600, cwd=tmp_path)
    assert [row["_step"] for row in rows_on(server, "abcd1234")] == list(range(7))
    assert rows_on(server, "abcd1234")[6]["tr_CrossEntropyLossPerClass/group_0"] >= 0
    assert server.runs["abcd1234"]["state"] == "finished"
    (artifact,) = server.artifacts.values()
    assert set(artifact["files"]) == {
        "class_counts.npz",
        "experiment.json",
        "metrics.parquet",
        "per_class.npz",
        "status.json",
    }


def test_what_a_killed_reader_leaves_the_next_one_does(opened, tmp_path):
    first = opened()
    folder = started(first, tmp_path, wandb_id="first")
    first._process.kill()
    first._process.wait()
    write(folder, np.arange(7))
    folder.finish("done", 6)
    first.close(LONG)
    assert waiting(tmp_path / "w") == ["first"]
    (tmp_path / "w" / "wandb" / ".making-first" / "wandb").mkdir(parents=True)  # was cut short
    second = opened()
    other = started(second, tmp_path, wandb_id="second", seed=1)
    write(other, np.arange(7))
    other.finish("done", 6)
    second.close(LONG)
    assert records(tmp_path / "w") == ["first", "second"]
    assert waiting(tmp_path / "w") == []
    assert not list((tmp_path / "w" / "wandb").glob(".making-*"))


ENDS_AT_ONCE = """
import os, sys
sys.path[:0] = sys.argv[2].split(":")
from pathlib import Path
from test_reader import np, open_reader, settings_of, started, write
workspace = Path(sys.argv[1])
reader = open_reader(settings_of(workspace / "w"), print)
folder = started(reader, workspace)
write(folder, np.arange(7))
folder.finish("done", 6)
os.kill(os.getpid(), 9)
"""


def test_the_process_that_runs_is_killed(tmp_path):
    here = os.path.dirname(__file__)
    command = [sys.executable, "-c", ENDS_AT_ONCE, str(tmp_path), ":".join([here, *sys.path])]
    assert subprocess.run(command, timeout=600, check=False).returncode == -signal.SIGKILL
    until(lambda: records(tmp_path / "w") == ["abcd1234"] and not waiting(tmp_path / "w"))


def test_damaged_and_replaced_runs_leave_the_queue(opened, tmp_path):
    damaged = record(tmp_path / "w", experiment_of(seed=1), wandb_id="damaged")
    queue(damaged)
    (damaged.path / "metrics.parquet").write_bytes(b"no table")
    replaced = record(tmp_path / "w", experiment_of(seed=2), wandb_id="replaced")
    queue(replaced)
    replaced.clear()
    record(tmp_path / "w", experiment_of(seed=2), wandb_id="new")
    queue(record(tmp_path / "w", experiment_of(seed=3), wandb_id="gone"))
    folder = RunFolder(tmp_path / "w", experiment_of(seed=3))
    folder.clear()
    folder.path.rmdir()
    (tmp_path / "w" / "wandb" / "queue" / "other.json").write_text("[]")
    reader = opened()
    whole = started(reader, tmp_path)
    write(whole, np.arange(7))
    whole.finish("done", 6)
    reader.close(LONG)
    assert records(tmp_path / "w") == ["abcd1234"]
    assert waiting(tmp_path / "w") == []
    assert reader.said == []


def size(folder):
    return int(subprocess.check_output(["du", "-s", "-B1", str(folder)]).split()[0])


@pytest.mark.parametrize("rows", [7, 90, 5000])
def test_records_are_no_larger_than_results(rows, opened, tmp_path):
    reader = opened()
    for i in range(3):
        by_class = rows <= 90
        folder = started(reader, tmp_path, rows, f"run{i}", seed=i, per_class=by_class)
        write(folder, np.arange(rows))
        folder.finish("done", rows - 1)
    reader.close(LONG)
    assert len(records(tmp_path / "w")) == 3
    records_alone = sum(size(p) for p in (tmp_path / "w" / "wandb").glob("offline-run-*"))
    assert records_alone <= size(tmp_path / "w" / "experiments")


def test_nobody_waits_for_a_reader_that_hangs(opened, tmp_path):
    reader = opened()
    folder = started(reader, tmp_path)
    write(folder, np.arange(7))
    folder.finish("done", 6)
    until(lambda: (tmp_path / "w" / "wandb" / "queue").exists())
    os.kill(reader._process.pid, signal.SIGSTOP)
    reader.close(timeout=0.5)
    (sentence,) = reader.said
    assert "in the background" in sentence
    os.kill(reader._process.pid, signal.SIGCONT)
    until(lambda: records(tmp_path / "w") == ["abcd1234"])


def test_records_are_left_to_the_background(opened, tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    reader = opened()
    folder = started(reader, tmp_path)
    write(folder, np.arange(7))
    folder.finish("done", 6)
    reader.close()
    assert records(tmp_path / "w") == []
    assert "in the background" in reader.said.pop()
    until(lambda: records(tmp_path / "w") == ["abcd1234"] and not waiting(tmp_path / "w"))


def test_in_a_job_of_slurm_records_are_waited_for(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "1")  # what outlives a job is killed
    monkeypatch.setattr(child, "_WAIT", LONG)
    reader = opened()
    folder = started(reader, tmp_path)
    write(folder, np.arange(7))
    folder.finish("done", 6)
    reader.close()
    assert records(tmp_path / "w") == ["abcd1234"]


def test_records_of_long_commands_are_made_while_runs_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(follower, "_FIRST", 0.0)
    looks, ended = [], threading.Event()

    def look(reader):
        looks.append(time.monotonic())
        time.sleep(0.02)
        if len(looks) == 3:
            ended.set()

    monkeypatch.setattr("optexp_jax.results.wandb.client.connect", lambda mode: None)
    monkeypatch.setattr("optexp_jax.results.wandb.reader.OfflineReader.look", look)
    follower._follow(tmp_path, ended)
    assert len(looks) == 4  # once more at the end
    assert looks[2] - looks[1] > 0.02 / follower._SHARE  # it rests in between


def test_a_wandb_that_cannot_be_imported_is_one_sentence(opened, tmp_path, monkeypatch):
    (tmp_path / "broken" / "wandb").mkdir(parents=True)
    broken = tmp_path / "broken" / "wandb" / "__init__.py"
    broken.write_text("raise ImportError('no wandb at http://10.1.2.3/simple')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    reader = opened()
    folder = started(reader, tmp_path)
    write(folder, np.arange(7))
    folder.finish("done", 6)
    reader.close(LONG)
    (sentence,) = reader.said
    assert "ImportError: no wandb at [address]" in sentence
    assert "are complete" in sentence
    assert waiting(tmp_path / "w") == ["abcd1234"]


@pytest.fixture
def running():
    """What is held while a run goes on."""
    with contextlib.ExitStack() as stack:
        yield stack


def test_online_rows_arrive_while_the_run_goes_on(opened, server, tmp_path, monkeypatch, running):
    monkeypatch.setenv("WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL", "0.5")  # else it takes 15 seconds
    interrupted = RunFolder(tmp_path / "w", experiment_of(seed=7))
    interrupted.begin({"train": COUNTS, "tr": COUNTS}, total_steps=6, wandb_id="waits")
    write(interrupted, np.arange(2))
    queue(interrupted)
    first = opened(wandb_mode="online")
    folder = RunFolder(tmp_path / "w", experiment_of(rows=9))
    running.enter_context(folder.lock())
    started(first, tmp_path, rows=9)
    write(folder, np.arange(3))
    until(lambda: len(server.runs.get("abcd1234", {}).get("history", [])) == 3, 60)
    assert server.runs["abcd1234"]["state"] == "running"
    write(folder, np.arange(3, 5))
    until(lambda: len(rows_on(server, "abcd1234")) == 5, 60)
    folder.write_status(status="preempted", step=4)
    first.close(LONG)
    assert waiting(tmp_path / "w") == ["abcd1234", "waits"]
    second = opened(wandb_mode="online")
    started(second, tmp_path, rows=9)
    write(folder, np.arange(4, 9))  # a checkpoint was a step behind
    folder.finish("done", 8)
    second.close(timeout=600.0)
    rows = rows_on(server, "abcd1234")
    assert [row["_step"] for row in rows] == list(range(9))
    assert rows[4]["tr_Accuracy"] == np.inf
    assert np.isnan(rows[5]["tr_Accuracy"])
    assert server.runs["abcd1234"]["state"] == "finished"
    assert server.runs["abcd1234"]["summary"]["status"] == "done"
    assert len(server.artifacts) == 1
    assert waiting(tmp_path / "w") == ["waits"]
    assert set(server.runs) == {"abcd1234"}
    assert [*first.said, *second.said] == []


def test_online_without_a_key_is_one_sentence(opened, server, tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY")
    reader = opened(wandb_mode="online")
    folder = started(reader, tmp_path)
    write(folder, np.arange(7))
    folder.finish("done", 6)
    reader.close(LONG)
    (sentence,) = reader.said
    assert "wandb login" in sentence
    assert not server.runs
