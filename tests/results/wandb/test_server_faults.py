"""Servers that refuse, fail now and then, or do not answer: one sentence, nothing lost, in time."""

import subprocess
import sys
import time

import pytest
from errors import refuses
from wandb_runs import equal, experiment_of, publish_all, record, server, settings_of

from optexp_jax import load_results
from optexp_jax.results.run_folders import RunFolders, downloaded
from optexp_jax.results.wandb import download, sync
from optexp_jax.results.wandb.workers import WandbError

__all__ = ["server"]
pytestmark = pytest.mark.slow  # each process of wandb's client takes a second
SHORT, LONG = 15.0, 600.0  # seconds: where nothing comes, and where something does


def compare(workspace, experiments, patience=LONG):
    settings, folders = settings_of(workspace), RunFolders(workspace)
    return sync.compare(experiments, settings, folders, patience)


def publish(workspace, experiments, patience=LONG):
    return publish_all(compare(workspace, experiments), settings_of(workspace), patience=patience)


def bring(workspace, experiments, patience=LONG):
    settings = settings_of(workspace)
    missing, _, _ = download.wanted(experiments, settings, RunFolders(workspace), LONG)
    return {e.id: said for e, said in download.fetch(missing, settings, patience) if said}


@pytest.fixture
def published(server, tmp_path):
    """A workspace whose run is on the server, and the run."""
    experiment = experiment_of()
    record(tmp_path / "here", experiment)
    assert publish(tmp_path / "here", [experiment]) == {}
    return tmp_path / "here", experiment


@pytest.mark.parametrize("status", [429, 500])
def test_a_server_that_fails_now_and_then_is_asked_again(status, published, server, tmp_path):
    here, experiment = published
    server.fail("^(Runs|/artifact/.*parquet)$", status, times=2)
    assert bring(tmp_path / "there", [experiment]) == {}
    assert not any(times for _, _, times in server.faults)
    assert equal(load_results(experiment, here), load_results(experiment, tmp_path / "there"))


@pytest.mark.parametrize("status", [401, 404, 429, 500, "hang"])
def test_a_server_that_refuses_or_hangs_is_one_sentence(status, server, tmp_path):
    experiment = experiment_of()
    record(tmp_path, experiment)
    server.fail("^(Viewer|GetDefaultEntity|Runs)$", status)
    with pytest.raises(WandbError) as raised:
        compare(tmp_path, [experiment], SHORT)
    assert raised.value.code in ("wandb-refused", "wandb-hangs")
    assert "\n" not in str(raised.value)
    assert server.url.removeprefix("http://") not in str(raised.value)
    assert not server.runs


def test_a_wrong_key_is_one_sentence_that_does_not_show_it(server, tmp_path, monkeypatch):
    experiment = experiment_of()
    record(tmp_path, experiment)
    monkeypatch.setenv("WANDB_API_KEY", "w" * 40)
    with refuses("wandb-refused") as raised:
        compare(tmp_path, [experiment])
    assert "w" * 8 not in str(raised.value)
    monkeypatch.delenv("WANDB_API_KEY")
    with refuses("wandb-refused"):
        compare(tmp_path, [experiment])


def test_a_project_that_is_missing_has_no_runs_and_is_made(server, tmp_path):
    experiment = experiment_of()
    record(tmp_path, experiment)
    server.projects.clear()
    assert bring(tmp_path / "there", [experiment]) == {}
    assert publish(tmp_path, [experiment]) == {}
    assert server.projects == {"optexp"}


@pytest.mark.parametrize("status", [404, "hang"])
def test_a_run_whose_files_do_not_come_leaves_nothing(status, published, server, tmp_path):
    _, experiment = published
    server.fail("^/artifact/.*parquet$", status)
    (said,) = bring(tmp_path / "there", [experiment], SHORT).values()
    assert "wandb" in said
    place = downloaded(tmp_path / "there", experiment).path
    assert not list(place.parent.iterdir())
    server.faults.clear()
    assert bring(tmp_path / "there", [experiment]) == {}
    assert load_results(experiment, tmp_path / "there").source == "wandb"


@pytest.mark.parametrize("where", ["file_stream", "CreateArtifact$", "^/artifact/.*parquet$"])
def test_what_did_not_arrive_is_said_and_sent_again(where, server, tmp_path):
    experiment = experiment_of()
    record(tmp_path, experiment)
    server.fail(where, 400)
    (said,) = publish(tmp_path, [experiment]).values()
    assert "wandb" in said
    server.faults.clear()
    assert publish(tmp_path, [experiment]) == {}
    assert compare(tmp_path, [experiment]).missing == []


def test_a_server_that_hangs_while_it_is_sent_to(server, tmp_path):
    experiment = experiment_of()
    record(tmp_path, experiment)
    server.fail("file_stream", "hang")
    (said,) = publish(tmp_path, [experiment], SHORT).values()
    assert "did not answer" in said
    assert not list((tmp_path / "wandb").glob(".sync-*"))


CALL = """
import sys
sys.path[:0] = sys.argv[2].split(":")
from wandb_runs import *
from pathlib import Path
from optexp_jax.results.run_folders import RunFolders
from optexp_jax.results.wandb import sync
workspace = Path(sys.argv[1])
settings = settings_of(workspace)
found = sync.compare([experiment_of(seed=i) for i in range(20)], settings, RunFolders(workspace))
print("sending", flush=True)
publish_all(found, settings)
"""


def test_killed_halfway_and_repeated(server, tmp_path):
    """What a killed command left on the server is completed, and nothing is sent twice."""
    experiments = [experiment_of(seed=i) for i in range(20)]
    for i, experiment in enumerate(experiments):
        record(tmp_path, experiment, wandb_id=f"run{i}", seed=i)
    command = [sys.executable, "-c", CALL, str(tmp_path), ":".join(sys.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        while not server.runs and process.poll() is None:
            time.sleep(0.01)
        process.kill()
    assert len(server.runs) > 0
    there = len(compare(tmp_path, experiments).there)
    assert there < 20
    assert publish(tmp_path, experiments) == {}
    assert len(compare(tmp_path, experiments).there) == 20
    assert len(server.runs) == 20
