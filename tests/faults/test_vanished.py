"""Folders that are moved or deleted under a running process, and old workspaces."""

import contextlib
import dataclasses
import json
import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from errors import refuses
from fault_runs import DATASET, PROBLEM, assert_rows, folder_of, pack, run_all, stop_after
from wording import is_told

from optexp_jax import Experiment
from optexp_jax.errors import OptexpError
from optexp_jax.losses import SquaredLoss
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.results.load import load_results
from optexp_jax.results.store import RunFolder
from optexp_jax.runner import pack_run
from optexp_jax.training.loop import train_pack

pytestmark = pytest.mark.usefixtures("quickly_compiled")

PAIR = pack()
VICTIM, OTHER = PAIR
OLD = Path(__file__).parent / "version_0.1.0.tar.gz"


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """A workspace where nothing happened."""
    workspace = tmp_path_factory.mktemp("truth")
    run_all(workspace, PAIR)
    return workspace


@pytest.fixture
def during(monkeypatch):
    """Have something happen after some chunks of a run."""

    def run_with(mishap, workspace, chunks=3, **options):
        def disturbed(*arguments, **named):
            for number, chunk in enumerate(train_pack(*arguments, **named), 1):
                if number == chunks:
                    mishap()
                yield chunk

        with monkeypatch.context() as patch:
            patch.setattr(pack_run, "train_pack", disturbed)
            return run_all(workspace, PAIR, **options)

    return run_with


@pytest.mark.slow
def test_a_workspace_that_is_moved_is_not_made_anew(tmp_path, truth, during):
    workspace, moved = tmp_path / "here", tmp_path / "there"
    # While no checkpoint is written: what writes those makes the folders of its own files anew.
    outcome = during(lambda: workspace.rename(moved), workspace, checkpoint_seconds=1000)
    assert outcome.failed == PAIR
    gone = ("run-folder-gone", "pack-folder-gone")
    assert all(any(is_told(code, why) for code in gone) for why in outcome.reasons.values())
    assert not workspace.exists()
    moved.rename(workspace)
    assert run_all(workspace, PAIR).failed == []
    for one in PAIR:
        assert_rows(one, workspace, truth)


@pytest.mark.slow
def test_a_folder_that_is_deleted_fails_its_run_alone(tmp_path, truth, during):
    folder = folder_of(tmp_path, VICTIM)
    outcome = during(lambda: shutil.rmtree(folder), tmp_path)
    assert outcome.failed == [VICTIM]
    assert not folder.exists()
    assert_rows(OTHER, tmp_path, truth)
    assert run_all(tmp_path, PAIR).failed == []
    assert_rows(VICTIM, tmp_path, truth)


@pytest.mark.slow
def test_a_folder_that_is_replaced_is_not_written_to(tmp_path, truth, during):
    folder = folder_of(tmp_path, VICTIM)

    def replace():
        folder.rename(tmp_path / "kept")
        folder.mkdir()

    assert during(replace, tmp_path).failed == [VICTIM]
    assert list(folder.iterdir()) == []


def test_a_folder_that_goes_before_its_pack_begins(tmp_path, monkeypatch):
    begun = RunFolder.begin

    def begin(folder, *arguments, **named):
        if folder.experiment == VICTIM:
            shutil.rmtree(folder.path)
        begun(folder, *arguments, **named)

    monkeypatch.setattr(RunFolder, "begin", begin)
    outcome = run_all(tmp_path, PAIR)
    assert outcome.failed == [VICTIM]
    assert not folder_of(tmp_path, VICTIM).exists()


def test_a_status_that_is_deleted_meanwhile_is_written_again(tmp_path, truth, during):
    status = folder_of(tmp_path, VICTIM) / "status.json"
    assert during(status.unlink, tmp_path).failed == []
    for one in PAIR:
        assert_rows(one, tmp_path, truth)


def test_a_part_that_is_deleted_meanwhile_is_missed(tmp_path, truth, during):
    folder = folder_of(tmp_path, VICTIM)
    outcome = during(lambda: min(folder.glob("metrics-*")).unlink(), tmp_path)
    assert outcome.failed == [VICTIM]
    assert is_told("file-damaged", outcome.reasons[VICTIM.run_key], path=folder)
    assert load_status(tmp_path) == "failed"
    assert_rows(OTHER, tmp_path, truth)


def load_status(workspace):
    return json.loads((folder_of(workspace, VICTIM) / "status.json").read_text())["status"]


def test_a_checkpoint_folder_that_is_deleted_is_made_again(tmp_path, truth, during):
    packs = folder_of(tmp_path, VICTIM).parent / "packs"
    with contextlib.suppress(OptexpError):  # it may be in the middle of writing one
        during(lambda: shutil.rmtree(packs, ignore_errors=True), tmp_path, 4, checkpoint_seconds=0)
    assert run_all(tmp_path, PAIR).failed == []
    for one in PAIR:
        assert_rows(one, tmp_path, truth)


@pytest.mark.slow
def test_kept_parameters_that_are_deleted_are_made_again(tmp_path, monkeypatch):
    pair = pack(group="kept", keep_steps=(2, 20))
    run_all(tmp_path / "truth", pair)
    stop_after(4, tmp_path, pair, monkeypatch)
    right = RunFolder(tmp_path / "truth", pair[0]).read_parameters(2)
    shutil.rmtree(folder_of(tmp_path, pair[0]) / "parameters")
    assert run_all(tmp_path, pair).failed == []
    again = RunFolder(tmp_path, pair[0]).read_parameters(2)
    assert all(np.array_equal(again[path], leaf) for path, leaf in right.items())


@pytest.mark.slow
def test_force_leaves_what_links_point_to(tmp_path, truth):
    run_all(tmp_path / "w", PAIR)
    victim = tmp_path / "victim"
    (victim / "inside").mkdir(parents=True)
    folder = folder_of(tmp_path / "w", VICTIM)
    (folder / "parameters").symlink_to(victim, target_is_directory=True)
    assert run_all(tmp_path / "w", PAIR, force=True).failed == []
    assert (victim / "inside").is_dir()
    assert not (folder / "parameters").exists()
    assert_rows(VICTIM, tmp_path / "w", truth)


@pytest.mark.slow
@pytest.mark.parametrize("entry", ["../../victim", 7])
def test_a_checkpoint_of_a_status_names_a_folder_of_packs(entry, tmp_path, monkeypatch):
    stop_after(3, tmp_path, PAIR, monkeypatch)
    victim = tmp_path / "experiments" / "victim"
    victim.mkdir()
    path = folder_of(tmp_path, VICTIM) / "status.json"
    old = {k: v for k, v in json.loads(path.read_text()).items() if k not in ("id", "checksum")}
    path.write_text(json.dumps(old | {"checkpoint": entry}))
    assert run_all(tmp_path, PAIR).failed == [VICTIM]
    assert victim.is_dir()


# -- version 0.1.0 ----------------------------------------------------------------------------


def old_pack(seed):
    return [
        Experiment(
            PROBLEM, SGD(LearningRate(e), 0.9), "old", seed=seed, steps=24, per_class=True,
            eval_every=2,
        )
        for e in (-3, -2)
    ]  # fmt: skip


@pytest.fixture
def old(tmp_path):
    """A workspace of version 0.1.0 (jax 0.10.2), and what its runs come to."""
    with tarfile.open(OLD) as archive:
        if hasattr(tarfile, "data_filter"):  # from Python 3.11.4 on
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(tmp_path)
    return tmp_path / "workspace", tmp_path / "whole"


def test_runs_of_version_0_1_0_are_read_and_not_run_again(old):
    workspace, _ = old
    done = old_pack(0)[0]
    diverged = dataclasses.replace(
        done,
        problem=dataclasses.replace(PROBLEM, loss=SquaredLoss()),
        optimizer=SGD(LearningRate(3), 0.9),
    )
    assert [e.short_id for e in (done, diverged)] == ["ea46985a", "d0e7525e"]
    assert set(run_all(workspace, [done, diverged]).skipped) == {done, diverged}
    found = load_results(done, workspace)
    assert found.table["step"].tolist() == list(range(0, 25, 2))
    assert found.class_counts.tolist() == DATASET.class_counts().tolist()
    assert load_results(diverged, workspace).status == "diverged"


def test_runs_of_version_0_1_0_go_on(old):
    workspace, whole = old
    assert run_all(workspace, old_pack(1)).failed == []
    for one in old_pack(1):
        found, right = load_results(one, workspace), load_results(one, whole)
        assert found.status == "done"
        assert found.table["step"].tolist() == right.table["step"].tolist()
        for name in right.table:  # another version of JAX rounds differently
            np.testing.assert_allclose(found.table[name], right.table[name], rtol=1e-5, atol=1e-6)


def test_missing_rows_of_version_0_1_0_are_noticed(old):
    workspace, _ = old
    done = old_pack(0)[0]
    path = folder_of(workspace, done) / "metrics.parquet"
    pd.read_parquet(path).iloc[:-2].to_parquet(path, index=False)
    with refuses("file-damaged", why=re.compile(r"\b22\b.*\b24\b")):
        load_results(done, workspace)
    assert run_all(workspace, [done]).failed == [done]
    path.unlink()
    assert run_all(workspace, [done]).failed == [done]
