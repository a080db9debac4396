"""Which runs a workspace holds, as the files say it."""

import dataclasses
import errno
import json
import os
import shutil

import pytest
from errors import refuses
from small_workspaces import record, run

from optexp_jax import (
    Experiment,
    Problem,
    best_runs,
    load_group,
    load_results,
    register,
    to_frame,
)
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, LearningRate
from optexp_jax.results.store import RunFolder
from optexp_jax.results.workspace import (
    READABLE,
    groups,
    recorded_runs,
    run_at,
    run_path,
    run_paths,
)

PROBLEM = Problem(Linear(111, 111), HeavyTailedOneHot(100), SquaredLoss())


@register("test-workspace-stranger")
@dataclasses.dataclass(frozen=True)
class Stranger(SGD):
    """An optimizer of somebody else."""


def experiment(exponent=-1, kind=SGD, **fields):
    return Experiment(PROBLEM, kind(LearningRate(exponent)), **{"group": "a", "steps": 3} | fields)


def write(workspace, *experiments):
    """Folders of runs that have a definition; their paths."""
    paths = [RunFolder(workspace, e).path for e in experiments]
    for path, e in zip(paths, experiments, strict=True):
        path.mkdir(parents=True)
        (path / "experiment.json").write_text(e.to_json(), encoding="utf-8")
    return paths


def found(workspace, group=None):
    """The experiments, and the names of the folders that could not be read."""
    recorded = recorded_runs(workspace, group)
    return [f.experiment for f in recorded.runs], [u.path.name for u in recorded.unread]


def test_a_workspace_that_is_not_there_or_empty_holds_no_runs(tmp_path):
    assert (found(tmp_path / "none"), groups(tmp_path / "none")) == (([], []), [])
    (tmp_path / "experiments").mkdir()
    assert (found(tmp_path), groups(tmp_path)) == (([], []), [])
    with refuses("no-such-group", group="a", known=()):
        recorded_runs(tmp_path, "a")


def test_runs_are_sorted_by_what_they_are(tmp_path):
    sgd = [experiment(e, seed=seed) for e in (-2, -1, 0) for seed in (0, 1)]
    adam = [experiment(-1, Adam)]
    other = [experiment(group="b")]
    write(tmp_path, *reversed(other + sgd + adam))
    assert found(tmp_path) == (adam + sgd + other, [])
    assert found(tmp_path, "b") == (other, [])
    assert groups(tmp_path) == ["a", "b"]


def test_a_run_is_found_with_group_and_kept_steps(tmp_path):
    (path,) = write(tmp_path, experiment(keep_steps=(1,)))
    folder = run_at(tmp_path, path)
    assert (folder.path, folder.group, folder.experiment.keep_steps) == (path, path.parent, (1,))


def test_what_is_no_run_is_left_out(tmp_path):
    (path,) = write(tmp_path, experiment())
    (path.parent / "packs" / "0" / "1").mkdir(parents=True)
    (path.parent / ".hidden").mkdir()
    (path.parent / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "experiments" / "file").write_text("mine", encoding="utf-8")
    only_locked = path.with_name("0" * 64)
    only_locked.mkdir()
    (only_locked / ".lock").touch()
    assert found(tmp_path) == ([experiment()], [])
    assert groups(tmp_path) == ["a"]


def _cut(path):
    path.write_bytes(path.read_bytes()[:40])


def _edit(path):
    document = json.loads(path.read_text(encoding="utf-8"))
    document["experiment"]["seed"] = 7
    path.write_text(json.dumps(document), encoding="utf-8")


DAMAGES = {
    "cut short": _cut,
    "empty": lambda path: path.write_bytes(b""),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00garbage"),
    "nested": lambda path: path.write_text("[" * 100_000, encoding="utf-8"),
    "a list": lambda path: path.write_text("[1]", encoding="utf-8"),
    "edited": _edit,
    "gone": lambda path: path.rename(path.with_name("status.json")),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a link to nothing": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_definition_is_named_and_the_others_are_read(tmp_path, damage):
    whole, broken = write(tmp_path, experiment(-1), experiment(-2))
    (broken / "status.json").write_text("{}", encoding="utf-8")
    DAMAGES[damage](broken / "experiment.json")
    recorded = recorded_runs(tmp_path)
    assert [f.path for f in recorded.runs] == [whole]
    assert [u.path for u in recorded.unread] == [broken]
    assert str(broken) in recorded.unread[0].sentence
    assert "\n" not in recorded.unread[0].sentence


def test_a_class_of_somebody_else_is_named(tmp_path):
    known, strange = write(tmp_path, experiment(), experiment(kind=Stranger))
    assert len(recorded_runs(tmp_path).runs) == 2
    file = strange / "experiment.json"
    file.write_text(file.read_text(encoding="utf-8").replace("test-workspace-s", "no-s"), "utf-8")
    recorded = recorded_runs(tmp_path)
    assert ([f.path for f in recorded.runs], len(recorded.unread)) == ([known], 1)
    with refuses("definition-unread", path=file, why="unknown-class"):
        run_at(tmp_path, strange)


def test_a_folder_at_another_place_is_named(tmp_path):
    (path,) = write(tmp_path, experiment())
    other = shutil.copytree(path, tmp_path / "experiments" / "b" / path.name)
    renamed = shutil.copytree(path, path.with_name("f" * 64))
    assert found(tmp_path) == ([experiment()], [renamed.name, other.name])
    with refuses("run-misplaced", path=other, place=path):
        run_at(tmp_path, other)


def test_folders_may_be_links(tmp_path):
    (path,) = write(tmp_path / "disk", experiment())
    (tmp_path / "ws" / "experiments").mkdir(parents=True)
    (tmp_path / "ws" / "experiments" / "a").symlink_to(path.parent)
    (tmp_path / "ws" / "experiments" / "lost").symlink_to("nowhere")
    assert found(tmp_path / "ws") == ([experiment()], [])


def test_folders_that_may_not_be_read_are_named(tmp_path, monkeypatch):
    whole, closed = write(tmp_path, experiment(-1), experiment(-2))
    (closed / "experiment.json").unlink()
    refusing(monkeypatch, closed)
    assert found(tmp_path) == ([experiment(-1)], [closed.name])
    refusing(monkeypatch, whole.parent)
    with refuses("path-unreadable", path=whole.parent):
        recorded_runs(tmp_path)


def refusing(monkeypatch, folder):
    """What this folder holds cannot be listed, or read, by this user, who may be root."""

    def refuse(owner, name):
        before = getattr(owner, name)

        def method(path):
            if folder in (path, path.parent):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return before(path)

        monkeypatch.setattr(owner, name, method)

    refuse(os, "listdir")
    refuse(type(folder), "read_bytes")


def test_an_id_may_be_cut_short(tmp_path):
    first, second = write(tmp_path, experiment(-1), experiment(-2))
    copy = write(tmp_path, experiment(-1, group="b"))[0]
    assert run_path(tmp_path, second.name) == second
    assert run_path(tmp_path, second.name[:8]) == second
    assert run_path(tmp_path, f"b/{first.name[:8]}") == copy
    with refuses("several-runs", number=2):
        run_path(tmp_path, first.name)
    for wanted in ("", "zz", "0" * 64, "*"):
        with refuses("no-such-run", wanted=wanted):
            run_path(tmp_path, wanted)
    for group in ("c", "..", "/"):
        with refuses("no-such-group"):
            run_path(tmp_path, f"{group}/{first.name}")


def test_downloaded_runs_are_read_and_not_kept_up(tmp_path):
    here, both, there = (run(seed=seed) for seed in range(3))
    for experiment in (here, both):
        record(tmp_path, experiment)
    for experiment in (both, there):
        record(tmp_path / "other", experiment, scale=2.0)
    cache = tmp_path / "wandb_cache" / "a"
    cache.mkdir(parents=True)
    for experiment in (both, there):
        (tmp_path / "other" / "experiments" / "a" / experiment.id).rename(cache / experiment.id)
    (tmp_path / "wandb_cache" / "artifacts" / "tmp").mkdir(parents=True)  # of wandb, once
    found = {folder.experiment.seed: folder for folder in recorded_runs(tmp_path).runs}
    assert {seed: folder.path.parents[1].name for seed, folder in found.items()} == {
        0: "experiments",
        1: "experiments",
        2: "wandb_cache",
    }
    assert (
        found[2]
        .read_rows()
        .table.equals(record(tmp_path / "x", there, scale=2.0).read_rows().table)
    )
    assert groups(tmp_path, READABLE) == ["a"]
    assert len(list(run_paths(tmp_path))) == 2
    assert run_at(tmp_path, run_path(tmp_path, there.id, READABLE)).experiment == there
    with refuses("no-such-run"):
        run_path(tmp_path, there.id)


def test_a_group_is_loaded_by_its_name_and_tabulated(tmp_path):
    runs = [run(exponent=e, seed=s) for e in (-2, -1) for s in (0, 1)]
    for experiment in runs:
        record(tmp_path, experiment, scale=1.0 + experiment.seed)
    found = load_group("a", tmp_path)
    assert [r.experiment for r in found] == runs
    assert [r.experiment for r in load_results(runs[::-1], tmp_path)] == runs[::-1]
    frame = to_frame(found)
    assert len(frame) == 4 * 5
    assert frame.groupby("lr")["step"].count().to_dict() == {0.01: 10, 0.1: 10}
    assert to_frame(found[0]).equals(frame.iloc[:5])
    by_class = to_frame(found, per_class=True)
    assert len(by_class) == 4 * 5 * 7
    assert set(by_class["count"]) == {8, 4, 2}
    ((_, best),) = best_runs(found).items()
    assert {r.experiment.seed for r in best} == {0, 1}
    with refuses("no-such-group"):
        load_group("b", tmp_path)
