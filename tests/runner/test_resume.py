"""Runs that are stopped, killed or damaged go on to the rows of a run that never was."""

import dataclasses
import os
import shutil
import signal

import flax.linen as nn
import jax
import numpy as np
import pytest
from killed_runs import DATASET, assert_same_results, pack_of_three, packs
from wording import is_told

import optexp_jax
from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.config import Settings
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SOAP, Adam, AdamMini, LearningRate, WarmupStableDecay, with_rate
from optexp_jax.results.load import load_results
from optexp_jax.results.store import RunFolder
from optexp_jax.runner import local, pack_run
from optexp_jax.runner.checkpoint import (
    Checkpoint,
    checkpoint_writer,
    read_checkpoint,
)
from optexp_jax.runner.display import Silent
from optexp_jax.runner.local import run_local
from optexp_jax.runner.options import RunOptions
from optexp_jax.training import devices
from optexp_jax.training.loop import train_pack
from optexp_jax.training.pack import Pack

SHORT = 40  # steps


@optexp_jax.register("test-resume-dropout")
class DropoutNet(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, inputs, train: bool = False):
        hidden = nn.relu(nn.Dense(8)(inputs))
        return nn.Dense(self.num_classes)(nn.Dropout(0.5)(hidden, deterministic=not train))


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
    "SOAP": Experiment(
        Problem(Linear(DATASET.num_inputs, DATASET.num_classes), DATASET, CrossEntropy()),
        SOAP(LearningRate(-2), precondition_frequency=2),
        "resume",
        steps=12,
    ),
    "Adam-mini": Experiment(
        Problem(Linear(DATASET.num_inputs, DATASET.num_classes), DATASET, CrossEntropy()),
        AdamMini(LearningRate(-2)),
        "resume",
        steps=12,
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
        "full batch Adam",
        *(
            pytest.param(kind, marks=pytest.mark.slow)
            for kind in ("mini-batch with dropout", "schedule", "SOAP", "Adam-mini")
        ),
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


@pytest.mark.slow
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


@pytest.mark.slow
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


class Listener(Silent):
    def __init__(self):
        self.said = []

    def say(self, sentence):
        self.said.append(sentence)


@pytest.mark.parametrize(
    "kind", ["full batch Adam", pytest.param("mini-batch with dropout", marks=pytest.mark.slow)]
)
def test_a_run_says_if_it_drew_other_random_numbers_before(kind, tmp_path, stop_after):
    one = dataclasses.replace(KINDS[kind], steps=SHORT)
    stop_after(tmp_path, [one], 3)
    folder = RunFolder(tmp_path, one)
    assert folder.read_status()["dropout"] == "by example"
    folder.write_status(dropout=None)  # as if a version that said nothing had started it
    listener = Listener()
    run_local([one], Settings(tmp_path, wandb_enabled=False), RunOptions(), listener)
    told = any("drew other random numbers" in sentence for sentence in listener.said)
    assert told == (kind == "mini-batch with dropout")
    assert load_results(one, tmp_path).status == "done"


@pytest.mark.slow
def test_an_older_checkpoint_serves_where_newer_ones_are_damaged(tmp_path, whole, stop_after):
    pack, settings = pack_of_three(SHORT), Settings(tmp_path, wandb_enabled=False)
    stop_after(tmp_path, pack, 4, checkpoint_seconds=0)
    (folder,) = packs(tmp_path).iterdir()
    steps = sorted(int(p.name) for p in folder.iterdir() if p.name.isdigit())
    assert len(steps) == 3
    oldest, *newer = (folder / str(step) for step in steps)
    for number, path in enumerate(reversed(newer), 1):
        garble(path)
        found = read_checkpoint(folder)
        assert found.step == steps[-1 - number]
        assert found.damaged == tuple(reversed(newer))[:number]
    listener = Listener()
    options = RunOptions(checkpoint_seconds=0)
    assert run_local(pack, settings, options, listener).failed == []
    (warning,) = [sentence for sentence in listener.said if "damaged" in sentence]
    assert all(str(path) in warning for path in (oldest, *newer))
    assert_same_results(pack, tmp_path, whole)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "asked", "here"), [(2, 1, 1), (1, 4, 4), (4, 1, 4)])
def test_another_number_of_devices_goes_on_with_the_same_examples(
    before, asked, here, tmp_path, whole, stop_after, monkeypatch
):
    pack, settings = pack_of_three(SHORT), Settings(tmp_path, wandb_enabled=False)
    monkeypatch.setattr(devices, "used", lambda: jax.devices()[: max(before, here)])
    stop_after(tmp_path, pack, 3, devices=before)
    monkeypatch.setattr(devices, "used", lambda: jax.devices()[:here])
    listener = Listener()
    outcome = run_local(pack, settings, RunOptions(devices=asked), listener)
    assert outcome.reasons == {}
    kept = (before, asked, here) == (4, 1, 4)  # what was asked for at the start is remembered
    assert kept != any(f"resume on {asked}" in sentence for sentence in listener.said)
    for one in pack:
        here_row, there = load_results(one, tmp_path), load_results(one, whole)
        assert here_row.details["devices"] == (before if kept else asked)
        for name in there.table:  # another order of the examples would differ by far more
            np.testing.assert_allclose(here_row.table[name], there.table[name], rtol=2e-4)


@pytest.mark.slow
def test_force_after_a_stop_starts_again(tmp_path, whole, stop_after):
    pack, settings = pack_of_three(SHORT), Settings(tmp_path, wandb_enabled=False)
    stop_after(tmp_path, pack, 4, checkpoint_seconds=0)
    # Stopped before it gets as far as the stale checkpoint, it goes on from its own.
    stop_after(tmp_path, pack, 2, checkpoint_seconds=0, force=True)
    run_local(pack, settings)
    assert_same_results(pack, tmp_path, whole)
    assert not packs(tmp_path).exists()


def plans_from_now(monkeypatch):
    """The plans of the packs that are run from now on."""
    plans = []

    class Spy(pack_run.PackRun):
        def __init__(self, plan, *arguments):
            plans.append(plan)
            super().__init__(plan, *arguments)

    monkeypatch.setattr(local, "PackRun", Spy)
    return plans


@pytest.mark.slow
@pytest.mark.usefixtures("all_devices")
@pytest.mark.parametrize(
    ("asked", "devices", "shard"),
    [({}, 2, "fsdp"), ({"devices": 4, "shard": "fsdp"}, 4, "fsdp"), ({"devices": 4}, 4, "fsdp")],
)
def test_a_stopped_run_goes_on_with_what_its_devices_shared(
    asked, devices, shard, tmp_path, stop_after, monkeypatch
):
    pack = pack_of_three(SHORT)
    settings = Settings(tmp_path / "stopped", wandb_enabled=False)
    stop_after(tmp_path / "stopped", pack, 3, devices=2, shard="fsdp")
    plans = plans_from_now(monkeypatch)
    run_local(pack, settings, RunOptions(**asked))
    assert [(p.pack.devices, p.pack.shard) for p in plans] == [(devices, shard)]
    assert plans[0].checkpoint.step > 0
    for one in pack:
        said = load_results(one, settings.workspace).details
        assert (said["devices"], said["shard"], said["remat"]) == (devices, shard, False)


@pytest.mark.slow
def test_a_stopped_vmap_pack_goes_on_side_by_side(tmp_path, stop_after, monkeypatch):
    pack = pack_of_three(SHORT)
    settings = Settings(tmp_path / "stopped", wandb_enabled=False)
    stop_after(tmp_path / "stopped", pack, 3, pack_mode="vmap")
    plans = plans_from_now(monkeypatch)
    run_local(pack, settings)  # the mode is remembered
    assert [(p.pack.mode, p.pack.experiments, p.checkpoint.step) for p in plans] == [
        ("vmap", tuple(pack), plans[0].checkpoint.step)
    ]
    vmap = RunOptions(pack_mode="vmap")
    run_local(pack, dataclasses.replace(settings, workspace=tmp_path / "whole"), vmap)
    assert_same_results(pack, tmp_path / "stopped", tmp_path / "whole")
    assert not packs(tmp_path / "stopped").exists()
