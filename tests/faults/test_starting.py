"""Processes that start together, are watched while they start, or are killed at random."""

import fcntl
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from fault_runs import assert_rows, pack, run_all

from optexp_jax import Experiment
from optexp_jax.results import checked_files
from optexp_jax.results.load import load_results
from optexp_jax.results.store import RunFolder

IMPORTED = ["optexp_jax.runner.local", "optexp_jax.models", "orbax.checkpoint", "fault_runs"]
SECONDS = 20  # of the random kills
LONG = 600  # steps


def grid(seeds=2, steps=24):
    """Packs of one seed each, as the order of the data is that of the run."""
    return [one for seed in range(seeds) for one in pack(seed, steps)]


def start(barrier, workspace, seeds, order):
    """What a process does: one device, short chunks, a checkpoint after each."""
    os.environ["XLA_FLAGS"] = ""
    from optexp_jax.training import program

    program._MOST_ROWS = 8
    experiments = grid(seeds)
    barrier.wait()
    outcome = run_all(workspace, experiments[::order], checkpoint_seconds=0)
    assert not outcome.failed, outcome.reasons


def forked(target, *arguments):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    process = context.Process(target=target, args=arguments)
    process.start()
    return process


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """A workspace where nothing happened."""
    workspace = tmp_path_factory.mktemp("truth")
    run_all(workspace, grid())
    return workspace


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(2))
def test_processes_that_start_together_do_all_runs_once(attempt, tmp_path, truth):
    context = multiprocessing.get_context("forkserver")
    barrier = context.Barrier(4)
    started = [forked(start, barrier, tmp_path, 2, (-1) ** i) for i in range(4)]
    for process in started:
        process.join(timeout=600)
    assert [process.exitcode for process in started] == [0] * 4
    for one in grid():
        assert_rows(one, tmp_path, truth)
    assert not list(tmp_path.rglob(".writable*"))


def test_many_look_whether_a_workspace_can_be_written(tmp_path):
    errors = []

    def look():
        try:
            for _ in range(200):
                checked_files.require_writable(tmp_path / "new")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert list((tmp_path / "new").iterdir()) == []


WATCH = """
import fcntl, sys
while True:
    with open(sys.argv[1]) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
"""


def test_who_looks_whether_a_run_is_locked_does_not_keep_it_from_starting(tmp_path):
    folder = RunFolder(tmp_path, pack()[0])
    with folder.lock() as mine:
        assert mine
    path = str(folder.path / ".lock")
    watchers = [subprocess.Popen([sys.executable, "-c", WATCH, path]) for _ in range(2)]
    try:
        time.sleep(0.3)
        for _ in range(2000):
            with folder.lock() as mine:
                assert mine
    finally:
        for watcher in watchers:
            watcher.kill()
            watcher.wait()


def test_a_lock_that_is_held_is_refused_at_once(tmp_path):
    folder, again = (RunFolder(tmp_path, pack()[0]) for _ in range(2))
    with folder.lock() as mine:
        assert mine
        with again.lock() as too:
            assert not too
        assert again.is_locked()
    assert not again.is_locked()
    with open(folder.path / ".lock") as handle:  # as version 0.1.0 did
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with again.lock() as too:
            assert not too


# -- random kills ---------------------------------------------------------------------------------


def long_runs():
    return grid(1, LONG)


def work(workspace):
    os.environ["XLA_FLAGS"] = ""
    from optexp_jax.training import program

    program._MOST_ROWS = 8
    outcome = run_all(workspace, long_runs(), checkpoint_seconds=0)
    assert not outcome.failed, outcome.reasons


@pytest.mark.slow
def test_processes_that_are_killed_at_random_lose_nothing(tmp_path):
    chance, ends = random.Random(1), time.monotonic() + SECONDS
    run_all(tmp_path / "truth", long_runs())
    killed = 0
    while time.monotonic() < ends:
        process = forked(work, tmp_path / "killed")
        process.join(timeout=chance.uniform(0.2, 2.5))
        if process.is_alive():
            os.kill(process.pid, chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
            process.join(timeout=600)
            killed += 1
        assert process.exitcode in (0, -signal.SIGKILL)
        for one in long_runs():
            assert_rows(one, tmp_path / "killed", tmp_path / "truth", whole=False)
    assert killed > 3
    last = forked(work, tmp_path / "killed")
    last.join(timeout=600)
    assert last.exitcode == 0
    for one in long_runs():
        assert isinstance(one, Experiment)
        assert load_results(one, tmp_path / "killed").status == "done"
        assert_rows(one, tmp_path / "killed", tmp_path / "truth")
