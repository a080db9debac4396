"""What nobody needs is removed, and nothing else; what a process runs is never touched."""

import importlib.metadata
import os
import time

import pytest
from errors import refuses
from small_workspaces import content, held, record, run

from optexp_jax.errors import UnwritableError
from optexp_jax.results import pruning
from optexp_jax.results.pruning import (
    remove,
    remove_group,
    remove_run,
    undecided,
    unneeded,
)
from optexp_jax.results.sizes import size_of, sizes_by_group, sizes_by_kind
from optexp_jax.results.store import RunFolder

PACKS = {name: name * 16 for name in ("a1", "b2", "c3", "d4")}
HOST = os.uname().nodename


def make(path, size=10):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def pack(workspace, name, group="a"):
    return make(workspace / "experiments" / group / "packs" / PACKS[name] / "2" / "x").parents[1]


def listed(workspace, **options):
    return {(u.kind, u.path.name): u.bytes for u in unneeded(workspace, **options)}


def test_checkpoints_that_no_unfinished_run_refers_to_go(tmp_path):
    record(tmp_path, run(-1), "preempted", last=2, checkpoint=PACKS["a1"], pack=PACKS["b2"])
    record(tmp_path, run(-2), "done", checkpoint=PACKS["c3"])
    for name in PACKS:
        pack(tmp_path, name)
    pack(tmp_path, "a1", "b")
    record(tmp_path, run(-3, group="b"))
    before = content(tmp_path)
    things = unneeded(tmp_path)
    gone = {f"a/packs/{PACKS[n]}" for n in ("b2", "c3", "d4")} | {f"b/packs/{PACKS['a1']}"}
    assert {f"{u.path.parts[-3]}/packs/{u.path.name}" for u in things} == gone
    assert {(u.kind, u.bytes) for u in things} == {("checkpoints", 10)}
    assert content(tmp_path) == before
    assert remove(tmp_path, things) == things
    kept = {k: v for k, v in before.items() if not any(place in k for place in gone)}
    assert content(tmp_path) == kept
    assert unneeded(tmp_path) == []


def test_what_a_process_writes_stays_also_when_it_starts_late(tmp_path):
    folder = record(tmp_path, run(), "running", last=2, pack=PACKS["a1"])
    pack(tmp_path, "a1")
    things = unneeded(tmp_path)
    assert len(things) == 1
    with held(folder):
        assert unneeded(tmp_path) == []
        assert remove(tmp_path, things) == []
    assert remove(tmp_path, things) == things


def test_checkpoints_stay_where_a_status_cannot_be_read(tmp_path):
    folder = record(tmp_path, run(), "preempted", last=2, checkpoint=PACKS["a1"])
    pack(tmp_path, "a1"), pack(tmp_path, "b2")
    assert undecided(tmp_path) == []
    (folder.path / "status.json").write_text("{", encoding="utf-8")
    assert (unneeded(tmp_path), undecided(tmp_path)) == ([], ["a"])


def test_a_run_of_an_unknown_class_keeps_its_checkpoints(tmp_path):
    folder = record(tmp_path, run(), "preempted", last=2, checkpoint=PACKS["a1"])
    pack(tmp_path, "a1"), pack(tmp_path, "b2")
    file = folder.path / "experiment.json"
    file.write_text(file.read_text("utf-8").replace('"SGD"', '"Unheard"'), "utf-8")
    assert listed(tmp_path) == {("checkpoints", PACKS["b2"]): 10}


def test_programs_of_other_versions_go_and_all_on_request(tmp_path):
    mine = f"{importlib.metadata.version('jax')}-cpu-0"
    for name in (mine, "0.0.1-cpu-0"):
        make(tmp_path / "compiled" / name / "jit-x", 7)
    assert listed(tmp_path) == {("compiled", "0.0.1-cpu-0"): 7}
    assert len(listed(tmp_path, every_program=True)) == 2
    with held(record(tmp_path, run(), "running", last=1)):
        assert len(listed(tmp_path)) == 1
        with refuses("run-locked"):
            unneeded(tmp_path, every_program=True)


def test_leftovers_of_processes_that_are_gone_go(tmp_path):
    folder = record(tmp_path, run())
    dead, alive = f".99999999.{HOST}.x", f".{os.getpid()}.{HOST}.x"
    for place in (folder.path, folder.group, tmp_path / "exports", tmp_path / "datasets" / "MNIST"):
        make(place / dead), make(place / alive)
    make(tmp_path / "plots" / "a" / ".99999999.elsewhere.x")
    old = make(tmp_path / "plots" / "a" / ".99999998.elsewhere.x")
    os.utime(old, (time.time() - 2 * 86_400,) * 2)
    make(tmp_path / "plots" / ".hidden"), make(tmp_path / "plots" / ".1x.y.z")
    things = unneeded(tmp_path)
    assert {(u.kind, u.path.name) for u in things} == {("leftover", dead), ("leftover", old.name)}
    assert len(things) == 5
    remove(tmp_path, things)
    assert not [path for path in tmp_path.rglob("*") if path.name in (dead, old.name)]
    assert len([path for path in tmp_path.rglob("*") if path.name == alive]) == 4


# -- runs -----------------------------------------------------------------------------------------


def test_a_run_or_a_group_is_removed_alone(tmp_path):
    one, two = record(tmp_path, run(-1)), record(tmp_path, run(-2))
    other = record(tmp_path, run(group="b"))
    pack(tmp_path, "a1")
    remove_run(tmp_path, one.path)
    assert sorted(p.name for p in one.group.iterdir()) == sorted(["packs", run(-2).id])
    remove_group(tmp_path, "a")
    assert list((tmp_path / "experiments").iterdir()) == [other.group]
    assert other.status() == "done"
    assert two.status() == "missing"


def test_what_a_process_runs_is_not_removed(tmp_path):
    one, two = record(tmp_path, run(-1)), record(tmp_path, run(-2), "running", last=1)
    before = content(tmp_path)
    with held(two):
        with refuses("run-locked", path=two.path):
            remove_run(tmp_path, two.path)
        with refuses("run-locked", path=two.path):
            remove_group(tmp_path, "a")
    assert content(tmp_path) == before
    never = RunFolder(tmp_path, run(-3))
    with held(never), refuses("run-locked", path=never.path):
        remove_group(tmp_path, "a")
    assert one.status() == "done"


def test_links_are_removed_and_what_they_point_to_stays(tmp_path):
    folder = record(tmp_path / "disk", run())
    (tmp_path / "ws" / "experiments").mkdir(parents=True)
    link = tmp_path / "ws" / "experiments" / "a"
    link.symlink_to(folder.group)
    remove_group(tmp_path / "ws", "a")
    assert not link.is_symlink()
    link.mkdir()
    (link / run().id).symlink_to(folder.path)
    remove_run(tmp_path / "ws", link / run().id)
    assert list(link.iterdir()) == []
    assert folder.status() == "done"


def test_a_run_that_cannot_be_removed_is_still_whole(tmp_path, monkeypatch):
    folder = record(tmp_path, run())

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pruning.os, "replace", refuse)
    with refuses("workspace-unwritable", UnwritableError, cause="Permission denied"):
        remove_run(tmp_path, folder.path)
    assert folder.status() == "done"


def test_what_a_killed_removal_left_is_no_run_and_is_pruned(tmp_path, monkeypatch):
    folder = record(tmp_path, run())

    def die(path):
        path.rename(path.with_name(f".99999999.{HOST}.{run().id}"))
        raise KeyboardInterrupt

    monkeypatch.setattr(pruning.shutil, "rmtree", die)
    with pytest.raises(KeyboardInterrupt):
        remove_run(tmp_path, folder.path)
    assert folder.status() == "missing"
    monkeypatch.undo()
    (thing,) = unneeded(tmp_path)
    assert (thing.kind, thing.path.parent) == ("leftover", folder.group)


# -- sizes ----------------------------------------------------------------------------------------


def test_sizes_are_those_of_files_by_kind_and_group(tmp_path):
    assert sizes_by_kind(tmp_path / "none") == {"runs": 0, "checkpoints": 0}
    folder = record(tmp_path, run())
    size = sum(len(data) for data in content(folder.path).values())
    assert size_of(folder.path) == size
    pack(tmp_path, "a1"), pack(tmp_path, "b2")
    make(tmp_path / "experiments" / "b" / "x", 3)
    make(tmp_path / "wandb_cache" / "deep" / "x", 5), make(tmp_path / "compiled" / "x", 6)
    make(tmp_path / "note", 2)
    (tmp_path / "plots").symlink_to(tmp_path / "compiled")
    (tmp_path / "compiled" / "loop").symlink_to(tmp_path)
    loop = (tmp_path / "compiled" / "loop").lstat().st_size
    assert sizes_by_group(tmp_path) == {
        "a": {"runs": size, "checkpoints": 20},
        "b": {"runs": 3, "checkpoints": 0},
    }
    assert sizes_by_kind(tmp_path) == {
        "runs": size + 3,
        "checkpoints": 20,
        "compiled": 6 + loop,
        "plots": 6 + loop,
        "wandb_cache": 5,
        "files": 2,
    }
