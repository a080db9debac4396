"""`prune`, `rm` and `du`: what may go, and what takes how much."""

import pytest
from results_output import documents, line_of
from small_workspaces import content, held, record, run
from wording import is_told

from optexp_jax.cli.results import context as context_of
from optexp_jax.results.store import RunFolder


@pytest.fixture
def prunable(workspace):
    folder = record(workspace, run())
    pack = folder.group / "packs" / ("c3" * 16)
    pack.mkdir(parents=True)
    (pack / "x").write_bytes(b"x" * 1234)
    return pack


def answering(monkeypatch, text):
    """A person at a terminal who answers."""
    monkeypatch.setattr(context_of.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda *_: text)


def test_prune_says_how_much_and_asks(call, prunable, monkeypatch):
    answering(monkeypatch, "n")
    code, out, _ = call("prune")
    assert (code, prunable.exists()) == (1, True)
    assert "1.23 kB: checkpoints" in out
    assert str(prunable) in out
    answering(monkeypatch, "y")
    code, out, _ = call("prune")
    assert (code, prunable.exists()) == (0, False)
    assert "Removed 1.23 kB" in out


def test_nothing_is_removed_where_nobody_can_be_asked(call, workspace, prunable, monkeypatch):
    monkeypatch.setattr(context_of.sys.stdin, "isatty", lambda: False, raising=False)
    before = content(workspace)
    for argv in (["prune"], ["rm", "a"], ["rm", run().id]):
        code, _, err = call(*argv)
        assert code == 2
        assert is_told("nobody-to-ask", err)
        assert call(*argv, "--json")[0] == 2
        assert call(*argv, "--dry-run")[0] == 0
    assert content(workspace) == before
    things = documents(call, "prune", "--dry-run")["things"]
    assert [(t["kind"], t["bytes"], t["removed"]) for t in things] == [("checkpoints", 1234, False)]
    assert documents(call, "prune", "--yes")["things"][0]["removed"]
    assert not prunable.exists()


def test_prune_says_which_checkpoints_it_cannot_judge(call, workspace, prunable):
    (RunFolder(workspace, run()).path / "status.json").write_text("{", encoding="utf-8")
    code, _, err = call("prune", "--yes")
    assert (code, prunable.exists()) == (0, True)
    assert "checkpoints of a are kept" in err


def test_rm_removes_a_run_or_a_group(call, workspace, monkeypatch):
    folders = [record(workspace, run(e)) for e in (-1, -2, -3)]
    answering(monkeypatch, "")
    assert call("rm", "a")[0] == 1
    assert documents(call, "rm", run(-1).id[:8], "--yes")["removed"]
    assert [f.path.exists() for f in folders] == [False, True, True]
    code, out, _ = call("rm", "a", "--yes")
    assert code == 0
    assert "Removed 2 runs" in out
    assert not folders[0].group.exists()
    code, _, err = call("rm", "a", "--yes")
    assert code == 2
    assert is_told("no-such-run", err, wanted="a")


def test_rm_removes_what_is_damaged(call, workspace):
    folder = record(workspace, run())
    (folder.path / "experiment.json").unlink()
    assert call("rm", run().id[:8], "--yes")[0] == 0
    assert not folder.path.exists()


def test_rm_refuses_what_runs(call, workspace):
    folder = record(workspace, run(), "running", last=1)
    with held(folder):
        for wanted in ("a", run().id[:8]):
            code, _, err = call("rm", wanted, "--yes")
            assert code == 2
            assert is_told("run-locked", err, path=folder.path)
    assert folder.status() == "interrupted"


def test_du_adds_up(call, workspace):
    folder = record(workspace, run())
    (workspace / "wandb_cache").mkdir()
    (workspace / "wandb_cache" / "x").write_bytes(b"x" * 5000)
    size = sum(map(len, content(folder.path).values()))
    found = documents(call, "du")
    assert found["bytes"] == size + 5000
    assert found["groups"] == {"a": {"runs": size, "checkpoints": 0}}
    code, out, _ = call("du")
    assert code == 0
    assert line_of(out, "wandb_cache") == ["wandb_cache", "5 kB"]
