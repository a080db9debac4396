"""What `verify` finds: damage of every kind, and what belongs to no run."""

import json
import os

import pytest
from small_workspaces import LOSS, held, record, run

from optexp_jax.errors import OptexpError
from optexp_jax.results import checked_files, status
from optexp_jax.results.rows import Rows
from optexp_jax.results.store import RunFolder
from optexp_jax.results.verifying import findings_around, findings_of_run
from optexp_jax.results.workspace import run_paths

PACK = "c3" * 16


def found(workspace, check=None):
    """Kind and path of everything that is found, without the folder of the workspace."""
    runs = [f for path in run_paths(workspace) for f in findings_of_run(workspace, path)]
    every = [*runs, *findings_around(workspace, check)]
    assert all("\n" not in f.sentence and str(workspace) in f.sentence for f in every)
    return sorted((f.kind, f.path.relative_to(workspace).as_posix()) for f in every)


def of_run(folder, kind="damaged"):
    return [(kind, f"experiments/{folder.experiment.group}/{folder.experiment.id}")]


def test_nothing_is_found_where_all_is_well(tmp_path):
    record(tmp_path, run(-1, keep_steps=(2, 4)))
    record(tmp_path, run(-2, per_class=False))
    record(tmp_path, run(-3), "diverged", last=3)
    stopped = record(tmp_path, run(-4), "preempted", last=2, checkpoint=PACK)
    (stopped.group / "packs" / PACK / "2").mkdir(parents=True)
    failed = record(tmp_path, run(-5), "running", last=1)
    failed.fail("no power", "Traceback ...")
    busy = record(tmp_path, run(-6), "running", last=1, pack="d4" * 16)
    (busy.group / "packs" / ("d4" * 16)).mkdir()
    never = RunFolder(tmp_path, run(-7))
    with never.lock(), held(busy):
        (busy.path / f".1.{'x' * 4}.status.json").touch()
        assert found(tmp_path) == []
    assert found(tmp_path / "none") == []


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    time = path.stat()
    path.write_bytes(bytes(data))
    os.utime(path, ns=(time.st_atime_ns, time.st_mtime_ns))  # a glance shows nothing


FILES = (
    "experiment.json", "status.json", "class_counts.npz", "metrics.parquet", "per_class.npz",
    "parameters/step-0000000002.npz",
)  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage",
    [
        _flip,
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-3]),
        lambda path: (path.unlink(), path.symlink_to("nowhere")),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["a bit", "gone", "empty", "cut short", "a broken link", "a folder"],
)
def test_damage_of_every_file_is_found(tmp_path, name, damage):
    record(tmp_path, run(-2))
    folder = record(tmp_path, run(-1, keep_steps=(2,)))
    damage(folder.path / name)
    kinds = {kind for kind, path in found(tmp_path) if path == of_run(folder)[0][1]}
    assert kinds in ({"damaged"}, {"unreadable"})
    assert all(run(-1).id in path for _, path in found(tmp_path))


def test_rows_that_are_missing_are_found_where_all_hashes_are_right(tmp_path):
    folder = record(tmp_path, run())
    rows, said = folder.read_rows(), folder.read_status()
    short = Rows(rows.table.drop(index=2), rows.per_class, rows.steps)
    content = checked_files.table_bytes(short.table)
    checked_files.write_bytes(folder.path / "metrics.parquet", content)
    said["files"]["metrics.parquet"] = {"sha256": checked_files.digest(run().id, content)}
    status.write(folder.path / "status.json", run().id, said)
    assert found(tmp_path) == of_run(folder)
    (finding,) = findings_of_run(tmp_path, folder.path)
    assert "step 2" in finding.sentence


def test_files_of_another_run_are_found(tmp_path):
    one, two = record(tmp_path, run(-1)), record(tmp_path, run(-2), scale=2.0)
    for name in ("metrics.parquet", "per_class.npz"):
        before = (one.path / name).read_bytes()
        (one.path / name).write_bytes((two.path / name).read_bytes())
        assert found(tmp_path) == of_run(one)
        (one.path / name).write_bytes(before)
    assert found(tmp_path) == []


def test_ids_that_do_not_match_are_found(tmp_path):
    folder = record(tmp_path, run())
    moved = folder.path.with_name("0" * 64)
    folder.path.rename(moved)
    assert found(tmp_path) == [("misplaced", f"experiments/a/{'0' * 64}")]
    moved.rename(folder.path)
    file = folder.path / "experiment.json"
    document = json.loads(file.read_text("utf-8"))
    document["experiment"]["seed"] = 1
    file.write_text(json.dumps(document), "utf-8")
    assert found(tmp_path) == of_run(folder)


def test_a_class_of_somebody_else_is_told_from_damage(tmp_path):
    folder = record(tmp_path, run())
    file = folder.path / "experiment.json"
    file.write_text(file.read_text("utf-8").replace('"SGD"', '"Unheard"'), "utf-8")
    assert found(tmp_path) == of_run(folder, "unread")


def test_orphans_are_found(tmp_path):
    folder = record(tmp_path, run(keep_steps=(2,)))
    group = folder.group
    places = (
        group.parent / "notes.txt",
        group / "notes.txt",
        group / "packs" / PACK / "1" / "x",
        group / ("1" * 64) / "per_class.npz",
        group / "empty" / "x",
        folder.path / "metrics.csv",
        folder.path / "parameters" / "best.npz",
        group / f".99999999.{os.uname().nodename}.x",
    )
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    assert [(kind, path) for kind, path in found(tmp_path) if kind == "orphan"] == [
        ("orphan", path)
        for path in sorted(
            [
                "experiments/notes.txt",
                "experiments/a/notes.txt",
                f"experiments/a/packs/{PACK}",
                "experiments/a/empty",
                f"experiments/a/{run().id}/metrics.csv",
                f"experiments/a/{run().id}/parameters/best.npz",
                f"experiments/a/.99999999.{os.uname().nodename}.x",
            ]
        )
    ]
    assert ("damaged", f"experiments/a/{'1' * 64}") in found(tmp_path)


def test_checkpoints_that_are_needed_are_checked(tmp_path):
    folder = record(tmp_path, run(), "preempted", last=2, checkpoint=PACK)
    pack = folder.group / "packs" / PACK
    pack.mkdir(parents=True)
    seen = []

    def check(path):
        seen.append(path)
        raise OptexpError(f"No checkpoint in {path}.", code="no-checkpoint-readable")

    assert found(tmp_path, check) == [("damaged", f"experiments/a/packs/{PACK}")]
    assert seen == [pack]


def test_rows_that_an_unfinished_run_lacks_are_found(tmp_path):
    folder = record(tmp_path, run(), "preempted", last=1)
    table = {"step": [3], "epoch": [1.5], LOSS: [1.0], "tr_Accuracy": [0.5]}
    folder.append(table, {}, [])
    assert found(tmp_path) == of_run(folder)
