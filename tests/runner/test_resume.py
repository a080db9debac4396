"""Runs that are stopped, killed or damaged go on to the rows of a run that never was."""

import dataclasses
import multiprocessing
import os
import random
import shutil
import signal
import time

import flax.linen as nn
import numpy as np
import pytest
from killed_runs import DATASET, IMPORTED, pack_of_three, work
from wording import is_told

import optexp_jax
from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.config import Settings
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import Adam, LearningRate, WarmupStableDecay, with_rate
from optexp_jax.results.load import load_results
from optexp_jax.runner import local, pack_run
from optexp_jax.runner.checkpoint import Checkpoint, checkpoint_writer, read_checkpoint
from optexp_jax.runner.local import run_local
from optexp_jax.runner.options import RunOptions
from optexp_jax.training.loop import train_pack
from optexp_jax.training.pack import Pack

SHORT, LONG = 40, 400  # steps
KILLS = 12


@optexp_jax.register("test-resume-dropout")
class DropoutNet(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, inputs, train: bool = False):
        hidden = nn.relu(nn.Dense(8)(inputs))
        return nn.Dense(self.num_classes)(nn.Dropout(0.5)(hidden, deterministic=not train))


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
        self._process.join(timeout=120)
        assert self._process.exitcode in (0, -signal.SIGKILL)
        return self._process.exitcode


def assert_same_results(experiments, a, b):
    for one in experiments:
        first, second = load_results(one, a), load_results(one, b)
        assert first.status == second.status == "done"
        assert list(first.table) == list(second.table)
        for name in first.table:
            x, y = first.table[name].to_numpy(), second.table[name].to_numpy()
            assert np.array_equal(x, y, equal_nan=True), name
        assert list(first.per_class) == list(second.per_class)
        for name, array in first.per_class.items():
            assert np.array_equal(array, second.per_class[name], equal_nan=True), name
        np.testing.assert_array_equal(first.per_class_steps, second.per_class_steps)
        assert first.table["step"].tolist() == list(range(one.steps + 1))


def packs(workspace):
    return workspace / "experiments" / "resume" / "packs"


# -- the generator ----------------------------------------------------------------------------

SCHEDULED = Adam(
    LearningRate(-2), schedule=WarmupStableDecay("20%", "60%"), clip=0.5, weight_decay=0.1
)
KINDS = {
    "schedule": Experiment(
        Problem(Linear(DATASET.num_inputs, DATASET.num_classes), DATASET, CrossEntropy()),
        SCHEDULED,
        "resume",
        steps=12,
        per_class=True,
    ),
    "full batch Adam": Experiment(
        Problem(Linear(DATASET.num_inputs, DATASET.num_classes), DATASET, CrossEntropy()),
        Adam(LearningRate(-2)),
        "resume",
        steps=12,
        per_class=True,
    ),
    "mini-batch with dropout": Experiment(
        Problem(DropoutNet(DATASET.num_classes), DATASET, CrossEntropy(), MiniBatch(7)),
        Adam(LearningRate(-2)),
        "resume",
        steps=12,
        per_class=True,
    ),
}


@pytest.mark.parametrize(
    "kind",
    [
        *("full batch Adam", "schedule"),
        pytest.param("mini-batch with dropout", marks=pytest.mark.slow),
    ],
)
def test_every_row_after_a_checkpoint_is_the_same(kind, tmp_path):
    one = KINDS[kind]
    other = dataclasses.replace(one, optimizer=with_rate(one.optimizer, LearningRate(-1)))
    data = DATASET.load(tmp_path)
    chunks = []
    with checkpoint_writer(tmp_path / "pack") as writer:
        for chunk in train_pack(Pack((one, other)), data, chunk_seconds=0.0):
            chunks.append(chunk)
            if chunk.step == 5:
                writer.save(Checkpoint(5, (one.id, other.id), chunk.snapshot()))
    checkpoint = read_checkpoint(tmp_path / "pack")
    assert (checkpoint.step, checkpoint.members) == (5, (one.id, other.id))
    # The second run alone, from its row of the checkpoint.
    states = checkpoint.select([other.id])
    later = list(train_pack(Pack((other,)), data, states, 5, chunk_seconds=0.0))
    assert [chunk.step for chunk in later] == list(range(6, 13))
    for chunk, again in zip(chunks[5:], later, strict=True):
        before, after = chunk.records[1], again.records[0]
        assert (before.status, before.step) == (after.status, after.step)
        for field in ("table", "per_class"):
            for name, column in getattr(before, field).items():
                assert np.array_equal(column, getattr(after, field)[name], equal_nan=True), name


def test_a_checkpoint_replaces_those_of_an_earlier_attempt(tmp_path):
    def save(step, value):
        with checkpoint_writer(tmp_path / "pack") as writer:
            writer.save(Checkpoint(step, ("a",), {".x['a/b']": np.full((1, 2), value)}))

    save(7, 1.0)
    save(9, 1.0)
    save(9, 2.0)
    assert read_checkpoint(tmp_path / "pack").states[".x['a/b']"].tolist() == [[2.0, 2.0]]
    save(1, 3.0)
    found = read_checkpoint(tmp_path / "pack")
    assert (found.step, found.states[".x['a/b']"].tolist()) == (1, [[3.0, 3.0]])


# -- processes that are killed ------------------------------------------------------------------


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


# -- stopped in this process ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A workspace where the pack ran without a stop."""
    workspace = tmp_path_factory.mktemp("whole")
    run_local(pack_of_three(SHORT), Settings(workspace, wandb_enabled=False))
    return workspace


@pytest.fixture
def stop_after(monkeypatch):
    """Run, and have a real SIGTERM arrive after some chunks."""

    def stop(workspace, experiments, chunks, **options):
        def signalling(*arguments, **named):
            for number, chunk in enumerate(train_pack(*arguments, **named), 1):
                if number == chunks:
                    os.kill(os.getpid(), signal.SIGTERM)
                yield chunk

        settings = Settings(workspace, wandb_enabled=False)
        with monkeypatch.context() as patch:
            patch.setattr(pack_run, "train_pack", signalling)
            outcome = run_local(experiments, settings, RunOptions(**options))
        assert outcome.stopped == signal.SIGTERM
        for one in experiments:
            assert load_results(one, workspace).status == "preempted"

    return stop


def test_a_part_of_a_stopped_pack_goes_on_alone_and_then_the_rest(tmp_path, whole, stop_after):
    pack, settings = pack_of_three(SHORT), Settings(tmp_path, wandb_enabled=False)
    stop_after(tmp_path, pack, 3)
    (folder,) = packs(tmp_path).iterdir()
    run_local(pack[1:2], settings)
    assert [p.name for p in packs(tmp_path).iterdir()] == [folder.name]
    statuses = [load_results(one, tmp_path).status for one in pack]
    assert statuses == ["preempted", "done", "preempted"]
    run_local(pack, settings)
    assert_same_results(pack, tmp_path, whole)
    assert not packs(tmp_path).exists()


def garble(folder):
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_bytes(b"\x00garbled" * 3)


def test_a_damaged_checkpoint_is_named_and_nothing_recorded_is_lost(tmp_path, whole, stop_after):
    pack, settings = pack_of_three(SHORT), Settings(tmp_path, wandb_enabled=False)
    stop_after(tmp_path, pack, 3)
    (folder,) = packs(tmp_path).iterdir()
    garble(folder)
    before = [load_results(one, tmp_path).table for one in pack]
    outcome = run_local(pack, settings)
    assert outcome.failed == pack
    for one, table in zip(pack, before, strict=True):
        results = load_results(one, tmp_path)
        assert results.status == "failed"
        assert is_told("no-checkpoint-readable", results.details["reason"], folder=folder)
        assert results.table.equals(table)
        assert len(table) > 0
    shutil.rmtree(folder)
    assert run_local(pack, settings).failed == []
    assert_same_results(pack, tmp_path, whole)
    assert not packs(tmp_path).exists()


@pytest.mark.slow
def test_an_older_checkpoint_serves_where_the_newest_is_damaged(tmp_path, whole, stop_after):
    pack, settings = pack_of_three(SHORT), Settings(tmp_path, wandb_enabled=False)
    stop_after(tmp_path, pack, 4, checkpoint_seconds=0)
    (folder,) = packs(tmp_path).iterdir()
    older, newest = sorted(
        (p for p in folder.iterdir() if p.name.isdigit()), key=lambda p: int(p.name)
    )
    garble(newest)
    assert read_checkpoint(folder).step == int(older.name)
    assert run_local(pack, settings, RunOptions(checkpoint_seconds=0)).failed == []
    assert_same_results(pack, tmp_path, whole)


@pytest.mark.slow
def test_force_after_a_stop_starts_again(tmp_path, whole, stop_after):
    pack, settings = pack_of_three(SHORT), Settings(tmp_path, wandb_enabled=False)
    stop_after(tmp_path, pack, 4, checkpoint_seconds=0)
    # Stopped before it gets as far as the stale checkpoint, it goes on from its own.
    stop_after(tmp_path, pack, 2, checkpoint_seconds=0, force=True)
    run_local(pack, settings)
    assert_same_results(pack, tmp_path, whole)
    assert not packs(tmp_path).exists()


@pytest.mark.slow
def test_a_stopped_vmap_pack_goes_on_side_by_side(tmp_path, stop_after, monkeypatch):
    pack = pack_of_three(SHORT)
    settings = Settings(tmp_path / "stopped", wandb_enabled=False)
    stop_after(tmp_path / "stopped", pack, 3, pack_mode="vmap")
    plans = []

    class Spy(pack_run.PackRun):
        def __init__(self, plan, *arguments):
            plans.append(plan)
            super().__init__(plan, *arguments)

    monkeypatch.setattr(local, "PackRun", Spy)
    run_local(pack, settings)  # the mode is remembered
    assert [(p.pack.mode, p.pack.experiments, p.checkpoint.step) for p in plans] == [
        ("vmap", tuple(pack), plans[0].checkpoint.step)
    ]
    vmap = RunOptions(pack_mode="vmap")
    run_local(pack, dataclasses.replace(settings, workspace=tmp_path / "whole"), vmap)
    assert_same_results(pack, tmp_path / "stopped", tmp_path / "whole")
    assert not packs(tmp_path / "stopped").exists()
