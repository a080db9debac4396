"""From a workspace to a wandb server and into another workspace, with wandb's real client."""

import json
import subprocess
import sys

import pytest
from small_workspaces import LOSS
from wandb_runs import (
    equal,
    experiment_of,
    publish_all,
    queue,
    record,
    records,
    rows_on,
    server,
    settings_of,
)

from optexp_jax import load_results
from optexp_jax.results.run_folders import RunFolders, downloaded
from optexp_jax.results.wandb import download, reader, sync

__all__ = ["server"]
pytestmark = pytest.mark.slow  # each process of wandb's client takes a second


def compare(workspace, experiments, **fields):
    return sync.compare(experiments, settings_of(workspace, **fields), RunFolders(workspace))


def bring(workspace, experiments, **fields):
    """Download into a workspace; what is said of runs that did not come."""
    settings = settings_of(workspace, **fields)
    missing, _, _ = download.wanted(experiments, settings, RunFolders(workspace))
    return {e.id: said for e, said in download.fetch(missing, settings) if said}


def test_everything_comes_back_bit_for_bit(server, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    experiments = [
        experiment_of(),
        experiment_of(seed=1, per_class=False),
        experiment_of(rows=1500, seed=2, per_class=False),
    ]
    for i, experiment in enumerate(experiments):
        record(here, experiment, experiment.steps + 1, wandb_id=f"run{i}", seed=i)
    found = compare(here, experiments)
    assert (found.there, found.unfinished, len(found.missing)) == ([], [], 3)
    assert publish_all(found, settings_of(here)) == {}
    assert len(rows_on(server, "run2")) == 1500
    again = compare(here, experiments)
    assert (again.there, again.missing) == (experiments, [])
    assert not list((here / "wandb").iterdir())  # records that are sent do not stay

    assert bring(there, experiments) == {}
    for experiment in experiments:
        mine, theirs = load_results(experiment, here), load_results(experiment, there)
        assert equal(mine, theirs)
        assert (mine.source, theirs.source) == ("workspace", "wandb")
    missing, present, lacking = download.wanted(experiments, settings_of(there), RunFolders(there))
    assert (missing, present, lacking) == ([], 3, 0)


@pytest.mark.parametrize("live", [False, True])
def test_a_history_without_files_is_enough_where_nothing_is_by_class(live, server, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    experiment = experiment_of(rows=1200, per_class=False)
    record(here, experiment, 1200)
    assert publish_all(compare(here, [experiment]), settings_of(here)) == {}
    server.artifacts.clear()
    server.live = live
    assert bring(there, [experiment]) == {}
    mine, theirs = load_results(experiment, here), load_results(experiment, there)
    assert mine.table.equals(theirs.table)
    assert theirs.source == "wandb"
    # It lacks its files, which --sync sends again.
    assert len(compare(here, [experiment]).missing) == 1


def test_a_history_that_lacks_rows_or_arrays_does_not_count(server, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    scalars, arrays = experiment_of(per_class=False), experiment_of()
    record(here, scalars, wandb_id="scalars")
    record(here, arrays, wandb_id="arrays")
    assert publish_all(compare(here, [scalars, arrays]), settings_of(here)) == {}
    server.artifacts.clear()
    said = bring(there, [arrays])
    assert "no losses by class" in said[arrays.id]
    del server.runs["scalars"]["history"][3]
    missing, _, lacking = download.wanted([scalars], settings_of(there), RunFolders(there))
    assert (missing, lacking) == ([], 1)
    assert not downloaded(there, arrays).path.exists()


def test_an_offline_record_sent_by_hand_is_completed(server, tmp_path):
    """What `wandb sync` sent of a thinned record, and what it did not send, is found missing."""
    here, there = tmp_path / "here", tmp_path / "there"
    experiment = experiment_of(rows=3000, per_class=False)
    folder = record(here, experiment, 3000)
    queue(folder)
    reader.OfflineReader(here.absolute()).look()
    assert records(here) == ["abcd1234"]
    (made,) = (here / "wandb").glob("offline-run-*")
    server.fail("file_stream", 400)
    by_hand = [sys.executable, "-m", "wandb", "sync", str(made)]
    quietly = {"capture_output": True, "timeout": 120, "cwd": tmp_path}  # it logs where it is
    subprocess.run(by_hand, check=False, **quietly)
    assert list(made.glob("*.synced"))  # as if all had gone well
    server.faults.clear()
    assert len(compare(here, [experiment]).missing) == 1
    subprocess.run([*by_hand, "--include-synced"], check=True, **quietly)
    sent = rows_on(server, "abcd1234")
    assert 20 <= len(sent) < 3000
    assert sent[-1]["_step"] == 2999
    found = compare(here, [experiment])
    assert publish_all(found, settings_of(here)) == {}
    assert sorted(row["_step"] for row in rows_on(server, "abcd1234")) == list(range(3000))
    assert bring(there, [experiment]) == {}
    assert equal(load_results(experiment, here), load_results(experiment, there))


def test_runs_that_wandb_never_heard_of(server, tmp_path):
    """Runs recorded with wandb off have no wandb id: everybody derives the same."""
    experiment = experiment_of()
    record(tmp_path, experiment, wandb_id=None)
    assert publish_all(compare(tmp_path, [experiment]), settings_of(tmp_path)) == {}
    (wandb_id,) = server.runs
    (again,) = [
        sync.described(f, settings_of(tmp_path)) for f in [RunFolders(tmp_path)[experiment]]
    ]
    assert again.wandb_id == wandb_id
    assert compare(tmp_path, [experiment]).missing == []


def test_a_run_that_was_repeated_replaces_its_download(server, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    experiment = experiment_of()
    record(here, experiment, wandb_id="first")
    publish_all(compare(here, [experiment]), settings_of(here))
    assert bring(there, [experiment]) == {}
    before = load_results(experiment, there)
    RunFolders(here)[experiment].clear()
    record(here, experiment, wandb_id="second", seed=5)
    server.runs["first"]["state"] = "failed"
    publish_all(compare(here, [experiment]), settings_of(here))
    assert bring(there, [experiment]) == {}
    assert not before.table.equals(load_results(experiment, there).table)
    assert equal(load_results(experiment, here), load_results(experiment, there))


def test_columns_that_people_plot(server, tmp_path):
    experiment = experiment_of(seed=4, group="demo_small")
    record(tmp_path, experiment)
    publish_all(compare(tmp_path, [experiment]), settings_of(tmp_path))
    sent = server.runs["abcd1234"]
    config = {k: v["value"] for k, v in json.loads(sent["config"]).items()}
    assert config["lr"] == pytest.approx(0.1)
    wanted = {
        "optimizer": "SGD",
        "learning_rate": "10^-1",
        "momentum": 0,
        "weight_decay": 0,
        "batch_size": None,
        "batching": "FullBatch",
        "model": "Linear",
        "dataset": "RandomHeavyTailedLabels",
        "seed": 4,
        "group": "demo_small",
        "scale": "small",
        "id": experiment.id,
        "rows": 7,
    }
    assert {name: config[name] for name in wanted} == wanted
    assert sent["groupName"] == "demo_small"
    assert sent["displayName"] == f"SGD 10^-1 seed 4 {experiment.short_id}"
    assert sent["tags"] == ["SGD", "Linear", "RandomHeavyTailedLabels", "small"]
    assert sent["summary"][f"best_{LOSS}"] == pytest.approx(1 / 7)
    assert sent["summary"][f"final_{LOSS}"] == pytest.approx(1 / 7)
    assert sent["summary"]["status"] == "done"


def test_two_projects(server, tmp_path):
    one, other = experiment_of(group="one"), experiment_of(group="other")
    record(tmp_path, one, wandb_id="one")
    record(tmp_path, other, wandb_id="other")
    fields = {"wandb_projects": (("other", "large"),)}
    found = compare(tmp_path, [one, other], **fields)
    assert publish_all(found, settings_of(tmp_path, **fields)) == {}
    assert {k: run["project"] for k, run in server.runs.items()} == {
        "one": "optexp",
        "other": "large",
    }
    assert compare(tmp_path, [one, other], **fields).missing == []
    assert compare(tmp_path, [other]).missing != []


def test_runs_of_version_0_1_0(server, tmp_path):
    """Their status has neither an id nor hashes."""
    here, there = tmp_path / "here", tmp_path / "there"
    experiment = experiment_of()
    folder = record(here, experiment)
    said = json.loads((folder.path / "status.json").read_text())
    for name in ("id", "checksum", "files", "history"):
        said.pop(name)
    (folder.path / "status.json").write_text(json.dumps(said))
    assert publish_all(compare(here, [experiment]), settings_of(here)) == {}
    assert bring(there, [experiment]) == {}
    assert equal(load_results(experiment, here), load_results(experiment, there))
