"""`merge` and `verify`: what comes from another workspace, and whether all is whole."""

import os
import shutil
import signal

import numpy as np
from results_output import documents
from small_workspaces import record, run
from wording import is_told

from optexp_jax.results import checked_files
from optexp_jax.results.store import RunFolder
from optexp_jax.runner.checkpoint import Checkpoint, checkpoint_writer


def test_merge_says_what_became_of_runs(call, workspace, tmp_path):
    other = tmp_path / "other"
    record(workspace, run(-1)), record(other, run(-1), scale=2.0)
    record(other, run(-2)), record(other, run(-3), "preempted", last=1)
    code, out, err = call("merge", other)
    assert code == 1
    assert "1 copied, 1 skipped, 1 refused" in out
    assert is_told("rows-differ", err, mine=RunFolder(workspace, run(-1)).path)
    assert run(-3).id in out
    found = documents(call, "merge", other, code=1)
    assert sorted(one["what"] for one in found) == ["equal", "left", "refused"]
    record(tmp_path / "third", run(-2))
    code, out, err = call("merge", tmp_path / "third")
    assert (code, err) == (0, "")
    assert "1 already here" in out
    assert call("merge", workspace)[0] == call("merge", tmp_path / "none")[0] == 2


def test_a_merge_into_a_workspace_that_cannot_be_written(call, tmp_path, monkeypatch):
    record(tmp_path / "other", run())
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", "/proc/none"):
        monkeypatch.setenv("OPTEXP_WORKSPACE", str(place))
        code, _, err = call("merge", tmp_path / "other")
        assert code == 2
        assert is_told("workspace-unwritable", err, folder=place)


def test_verify_names_what_is_wrong(call, workspace):
    folder = record(workspace, run(-1))
    record(workspace, run(-2))
    code, out, _ = call("verify")
    assert code == 0
    assert "No problems: checked every file and row of 2 runs" in out
    (folder.path / "notes.txt").touch()
    (folder.path / "class_counts.npz").write_bytes(b"")
    code, out, _ = call("verify")
    assert code == 1
    assert is_told("file-damaged", out, path=folder.path / "class_counts.npz")
    assert "notes.txt" in out
    assert "1 of 2 runs have problems; 1 other findings" in out
    found = documents(call, "verify", code=1)
    assert sorted(f["kind"] for f in found["findings"]) == ["damaged", "orphan"]


def test_verify_reads_checkpoints(call, workspace):
    folder = record(workspace, run(-1), "preempted", last=1, checkpoint="c3" * 16)
    (folder.group / "packs" / ("c3" * 16) / "1" / "states").mkdir(parents=True)
    code, out, _ = call("verify")
    assert code == 1
    assert is_told("no-checkpoint-readable", out)


def test_verify_names_a_newer_checkpoint_that_is_damaged(call, workspace):
    folder = record(workspace, run(-1), "preempted", last=1, checkpoint="c3" * 16)
    pack = folder.group / "packs" / ("c3" * 16)
    with checkpoint_writer(pack) as writer:
        for step in (1, 2):
            writer.save(Checkpoint(step, (run(-1).id,), {"x": np.ones((1, 2))}))
    shutil.rmtree(pack / "2" / "states")
    code, out, _ = call("verify")
    assert code == 1
    assert is_told("newer-checkpoint-damaged", out, damaged=pack / "2", before=pack / "1")


def test_ctrl_c_stops_verify_at_once(call, workspace, monkeypatch):
    record(workspace, run())
    read = checked_files.table_from

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return read(*arguments)

    monkeypatch.setattr(checked_files, "table_from", interrupted)
    code, out, err = call("verify")
    assert (code, out) == (128 + signal.SIGINT, "")
    assert err == "Interrupted. Recorded results are kept.\n"
