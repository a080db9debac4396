"""Bringing two workspaces together: copied whole, or named and left."""

import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from errors import refuses
from small_workspaces import content, held, record, run

from optexp_jax.errors import UnwritableError
from optexp_jax.results import merging
from optexp_jax.results.load import load_results
from optexp_jax.results.merging import COPIED, EQUAL, LEFT, REFUSED, merge
from optexp_jax.results.store import RunFolder
from optexp_jax.results.verifying import findings_of_run


@pytest.fixture
def places(tmp_path):
    return tmp_path / "mine", tmp_path / "theirs"


def became(mine, theirs):
    """What became of each run, by id."""
    return {one.run.partition("/")[2]: one.what for one in merge(mine, theirs)}


def test_what_is_missing_or_unfinished_is_copied_and_what_is_equal_is_skipped(places):
    mine, theirs = places
    lacking, begun, same = run(-1, keep_steps=(2,)), run(-2), run(-3)
    record(mine, begun, "preempted", last=2, scale=5.0)
    record(mine, same)
    sources = [record(theirs, e) for e in (lacking, begun, same)]
    before, others = content(mine / "experiments" / "a" / same.id), content(theirs)
    wanted = {lacking.id: COPIED, begun.id: COPIED, same.id: EQUAL}
    assert became(mine, theirs) == wanted
    for source in sources[:2]:
        target = RunFolder(mine, source.experiment)
        assert content(target.path) == content(source.path)
        assert target.status() == "done"
        assert list(findings_of_run(mine, target.path)) == []
    assert RunFolder(mine, lacking).read_parameters(2)["w"].tolist() == [1.0] * 3
    assert content(mine / "experiments" / "a" / same.id) == before
    assert content(theirs) == others
    assert set(became(mine, theirs).values()) == {EQUAL}


def test_rows_are_compared_not_files(places):
    mine, theirs = places
    folder = record(mine, run())
    shutil.copytree(mine, theirs)
    other = RunFolder(theirs, run())
    other.finish("done", 4, pack_seconds=3.0)  # written again
    assert content(other.path)["status.json"] != content(folder.path)["status.json"]
    assert became(mine, theirs) == {run().id: EQUAL}


def test_unequal_rows_of_one_run_are_refused_and_the_others_are_merged(places):
    mine, theirs = places
    ours, new = record(mine, run(-1)), run(-2)
    record(theirs, run(-1), scale=1.0 + 1e-12)
    record(theirs, new)
    before = content(ours.path)
    merged = list(merge(mine, theirs))
    assert {m.run: m.what for m in merged} == {
        f"a/{run(-1).id}": REFUSED,
        f"a/{new.id}": COPIED,
    }
    (refused,) = (m for m in merged if m.what == REFUSED)
    assert str(ours.path) in refused.sentence
    assert content(ours.path) == before
    with refuses("rows-differ", mine=ours.path):
        merging.require_equal(RunFolder(theirs, run(-1)), ours)


def test_a_diverged_run_equals_itself_and_no_other(places):
    mine, theirs = places
    record(mine, run(), "diverged", last=3)
    record(theirs, run(), "diverged", last=3)
    assert became(mine, theirs) == {run().id: EQUAL}
    shutil.rmtree(theirs)
    record(theirs, run())
    assert became(mine, theirs) == {run().id: REFUSED}


def test_what_has_not_ended_is_left_and_said(places):
    mine, theirs = places
    record(theirs, run(-1), "preempted", last=2, checkpoint="c3" * 16)
    (one,) = merge(mine, theirs)
    assert (one.what, one.run) == (LEFT, f"a/{run(-1).id}")
    assert one.run in one.sentence
    assert not mine.exists()


def test_what_a_process_runs_here_is_left(places):
    mine, theirs = places
    record(theirs, run())
    folder = record(mine, run(), "running", last=2)
    before = content(folder.path)
    with held(folder):
        assert became(mine, theirs) == {run().id: LEFT}
        assert content(folder.path) == before
    assert became(mine, theirs) == {run().id: COPIED}


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("name", ["metrics.parquet", "per_class.npz", "class_counts.npz"])
@pytest.mark.parametrize("damage", [_flip, lambda p: p.unlink(), lambda p: p.write_bytes(b"")])
def test_a_damaged_run_is_refused_from_either_side(places, name, damage):
    mine, theirs = places
    source = record(theirs, run())
    damage(source.path / name)
    record(theirs, run(-2))
    assert became(mine, theirs) == {run().id: REFUSED, run(-2).id: COPIED}
    assert not RunFolder(mine, run()).path.exists()
    assert became(theirs, mine) == {run(-2).id: EQUAL}
    shutil.copytree(mine, mine.with_name("third"))
    record(mine.with_name("third"), run())
    before = content(source.path)
    assert became(theirs, mine.with_name("third"))[run().id] == REFUSED
    assert content(source.path) == before


def test_definitions_that_cannot_be_read_are_refused(places):
    mine, theirs = places
    strange, damaged = record(theirs, run(-1)), record(theirs, run(-2))
    file = strange.path / "experiment.json"
    file.write_text(file.read_text("utf-8").replace('"SGD"', '"Unheard"'), "utf-8")
    (damaged.path / "experiment.json").write_text("{", encoding="utf-8")
    record(theirs, run(-3))
    assert sorted(became(mine, theirs).values()) == [COPIED, REFUSED, REFUSED]


def test_a_file_that_was_changed_while_it_was_copied_is_noticed(places, monkeypatch):
    mine, theirs = places
    folder = record(theirs, run())
    copy = shutil.copy2

    def changing(source, target):
        copy(source, target)
        if str(target).endswith("metrics.parquet"):
            with open(target, "ab") as file:
                file.write(b"!")

    monkeypatch.setattr(merging.shutil, "copy2", changing)
    assert became(mine, theirs) == {run().id: REFUSED}
    assert not RunFolder(mine, run()).path.exists()
    assert folder.status() == "done"


def test_a_full_disk_stops_the_merge_and_leaves_nothing_half(places, monkeypatch):
    mine, theirs = places
    folder = record(mine, run(-1), "preempted", last=2)
    record(theirs, run(-1))
    before = content(mine)

    def full(source, target):
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(merging.shutil, "copy2", full)
    with refuses("workspace-unwritable", UnwritableError, cause="No space left on device"):
        list(merge(mine, theirs))
    assert content(mine) == before
    assert folder.status() == "preempted"


def test_a_file_that_may_not_be_read_refuses_its_run_alone(places, monkeypatch):
    mine, theirs = places
    for exponent in (-1, -2):
        record(theirs, run(exponent)).path.joinpath("error.txt").touch()

    def refuse(path, mode):
        if run(-1).id in path and path.endswith("error.txt"):
            raise PermissionError(13, "Permission denied", path)
        return open(path, mode)

    monkeypatch.setattr(merging, "open", refuse, raising=False)
    assert became(mine, theirs) == {run(-1).id: REFUSED, run(-2).id: COPIED}
    assert not RunFolder(mine, run(-1)).path.exists()


WORKER = """
import sys, time
from pathlib import Path
from optexp_jax.results import merging

copy, count = merging.shutil.copy2, 0
def slow(source, target):
    global count
    copy(source, target)
    count += 1
    print(count, flush=True)
    time.sleep(0.3 if count > 6 else 0)
merging.shutil.copy2 = slow
list(merging.merge(Path(sys.argv[1]), Path(sys.argv[2])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_merge_that_is_killed_leaves_whole_runs_and_goes_on(places, number):
    mine, theirs = places
    runs = [run(exponent) for exponent in (-1, -2, -3)]
    for one in runs:
        record(theirs, one)
    ours = record(mine, max(runs, key=lambda e: e.id), "preempted", last=2)
    command = [sys.executable, "-c", WORKER, str(mine), str(theirs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        while process.stdout.readline().strip() not in (b"8", b""):
            pass
        process.send_signal(number)
    assert process.returncode not in (0, None)
    states = [RunFolder(mine, one).status() for one in runs]
    assert set(states) <= {"done", "missing", "preempted"}
    assert "done" in states
    assert ours.status() == "preempted"
    assert set(became(mine, theirs).values()) == {EQUAL, COPIED}
    for one in runs:
        assert np.array_equal(load_results(one, mine).table, load_results(one, theirs).table)
    hidden = [p.name for p in (mine / "experiments" / "a").iterdir() if p.name[0] == "."]
    assert hidden == []  # the next merge removed what was begun


def test_another_workspace_has_to_be_one(places):
    mine, theirs = places
    theirs.mkdir()
    with refuses("not-a-workspace", path=theirs):
        list(merge(mine, theirs))
    record(mine, run())
    theirs.rmdir()
    theirs.symlink_to(mine)
    with refuses("same-workspace", path=theirs):
        list(merge(mine, theirs))


def test_links_to_files_are_followed_and_locks_are_not_copied(places):
    mine, theirs = places
    folder = record(theirs, run())
    with folder.lock():
        pass
    real = theirs / "elsewhere.npz"
    (folder.path / "per_class.npz").rename(real)
    (folder.path / "per_class.npz").symlink_to(real)
    (folder.path / "lost").symlink_to("nowhere")
    assert became(mine, theirs) == {run().id: COPIED}
    target = RunFolder(mine, run()).path
    assert not (target / "per_class.npz").is_symlink()
    assert {p.name for p in target.iterdir()} == {
        "experiment.json", "status.json", "class_counts.npz", "metrics.parquet", "per_class.npz",
    }  # fmt: skip
    assert json.loads((target / "status.json").read_text("utf-8"))["id"] == run().id
