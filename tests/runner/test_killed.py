"""Processes that are killed at random, or told to stop, lose nothing that was recorded."""

import multiprocessing
import os
import random
import signal
import time

import pytest
from killed_runs import IMPORTED, assert_same_results, pack_of_three, packs, work

from optexp_jax.config import Settings
from optexp_jax.results.load import load_results
from optexp_jax.runner.checkpoint import read_checkpoint
from optexp_jax.runner.local import run_local

LONG = 400  # steps
KILLS = 12


class Worker:
    """One attempt, in a process of its own."""

    def __init__(self, workspace):
        self._workspace = workspace
        self._began = time.time()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        self._process = context.Process(target=work, args=(workspace, LONG))
        self._process.start()

    def wait_for_rows(self):
        """Until this attempt has stored rows; False if it ended before."""
        while self._process.is_alive():
            for path in self._workspace.rglob("metrics-*.parquet"):
                try:
                    if path.stat().st_mtime > self._began:
                        return True
                except FileNotFoundError:
                    continue
            time.sleep(0.005)
        return False

    def end(self, number=None):
        """The exit code, after a signal if one is given."""
        if number is not None:
            os.kill(self._process.pid, number)
        self._process.join(timeout=600)
        assert self._process.exitcode in (0, -signal.SIGKILL)
        return self._process.exitcode


@pytest.fixture(scope="module")
def whole_and_long(tmp_path_factory):
    """A workspace where what the processes run ran without a stop, in chunks of other lengths."""
    workspace = tmp_path_factory.mktemp("long")
    run_local(pack_of_three(LONG), Settings(workspace, wandb_enabled=False))
    return workspace


@pytest.mark.slow
def test_killed_processes_lose_nothing(tmp_path, whole_and_long):
    workspace, chance, killed = tmp_path / "killed", random.Random(0), 0
    while True:
        worker = Worker(workspace)
        if killed < KILLS and worker.wait_for_rows():
            time.sleep(chance.uniform(0, 0.4))  # some chunks, each with its checkpoint
            killed += worker.end(signal.SIGKILL) == -signal.SIGKILL
        elif worker.end() == 0:
            break
    assert killed == KILLS
    assert_same_results(pack_of_three(LONG), workspace, whole_and_long)
    assert not list(workspace.rglob("metrics-*.parquet"))


@pytest.mark.slow
def test_a_terminated_process_says_preempted_and_goes_on(tmp_path, whole_and_long):
    workspace, pack = tmp_path / "stopped", pack_of_three(LONG)
    worker = Worker(workspace)
    assert worker.wait_for_rows()
    assert worker.end(signal.SIGTERM) == 0
    assert [load_results(one, workspace).status for one in pack] == ["preempted"] * 3
    reached = read_checkpoint(next(packs(workspace).iterdir())).step
    assert 0 < reached < LONG
    assert all(len(load_results(one, workspace).table) == reached for one in pack)
    assert Worker(workspace).end() == 0
    assert_same_results(pack, workspace, whole_and_long)
    assert not packs(workspace).exists()
