"""`python -m optexp_jax.results`, as a user meets it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_workspaces import LOSS, content, held, record, run
from wording import is_told

from optexp_jax.cli import commands
from optexp_jax.cli.results import context as context_of
from optexp_jax.cli.results import showing
from optexp_jax.optim import Adam
from optexp_jax.results import checked_files
from optexp_jax.results.__main__ import main
from optexp_jax.results.load import read_results
from optexp_jax.results.store import RunFolder

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "ws"))
    return tmp_path / "ws"


@pytest.fixture
def call(capsys):
    """Exit code, output and error output of the command."""

    def command(*argv):
        try:
            code = main([str(argument) for argument in argv])
        except SystemExit as stopped:
            code = stopped.code
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return command


def documents(call, *argv, code=0):
    """What a command prints for programs; NaN is no number of JSON."""
    found, out, _ = call(*argv, "--json")
    assert found == code

    def refuse(name):
        raise AssertionError(name)

    return json.loads(out, parse_constant=refuse)


def line_of(out, text):
    """The cells of the only line of a table with a text."""
    (line,) = (line for line in out.splitlines() if text in line)
    return [
        cell.strip()
        for cell in line.strip("│ ").split("│" if "│" in line else "  ")
        if cell.strip()
    ]


# -- list -----------------------------------------------------------------------------------------


def test_groups_are_listed_with_states_and_sizes(call, workspace):
    record(workspace, run(-1)), record(workspace, run(-2), "diverged", last=3)
    record(workspace, run(group="b"), "running", last=1)
    code, out, err = call("list")
    assert (code, err) == (0, "")
    assert line_of(out, "│ a ")[:4] == ["a", "2", "1", "1"]
    assert line_of(out, "│ all ")[:5] == ["all", "3", "1", "1", "1"]
    found = documents(call, "list")
    assert [(g["group"], g["runs"], g["states"]) for g in found["groups"]] == [
        ("a", 2, {"done": 1, "diverged": 1}),
        ("b", 1, {"interrupted": 1}),
    ]
    assert found["groups"][1]["bytes"]["runs"] > 0


def test_runs_are_listed_with_status_and_losses(call, workspace):
    folder = record(workspace, run("-3/2", Adam, seed=4))
    record(workspace, run(-1), "diverged", last=3)
    losses = read_results(folder).table[LOSS]
    code, out, err = call("list", "a")
    assert (code, err) == (0, "")
    cells = line_of(out, folder.experiment.short_id)
    assert cells[:5] == [folder.experiment.short_id, "Adam + momentum", "10^-3/2", "4", "done"]
    assert cells[5:7] == [f"{losses.min():.4g}", f"{losses.iloc[-1]:.4g}"]
    assert line_of(out, run(-1).short_id)[4:7:2] == ["diverged", "inf"]
    one, two = documents(call, "list", "a")["runs"]
    assert (one["id"], one["best"], one["lr"]) == (folder.experiment.id, losses.min(), 10**-1.5)
    assert one["optimizer"]["type"] == "Adam"
    assert (two["final"], two["step"], two["total_steps"]) == ("Infinity", 3, 4)


def test_what_cannot_be_read_is_named_and_the_rest_is_listed(call, workspace):
    whole, strange, damaged = (record(workspace, run(e)) for e in (-1, -2, -3))
    file = strange.path / "experiment.json"
    file.write_text(file.read_text("utf-8").replace('"SGD"', '"Unheard"'), "utf-8")
    (damaged.path / "metrics.parquet").write_bytes(b"")
    for argv in (["list", "a"], ["list"]):
        code, out, err = call(*argv)
        assert code == 0
        assert is_told("definition-unread", err, path=file)
        assert "Unheard" in err
    _, out, err = call("list", "a")
    assert line_of(out, damaged.experiment.short_id)[4] == "damaged"
    assert is_told("file-damaged", err, path=damaged.path / "metrics.parquet")
    assert whole.experiment.short_id in out
    found = documents(call, "list", "a")
    assert [one["path"] for one in found["unread"]] == [str(strange.path)]
    assert sorted(one["status"] for one in found["runs"]) == ["damaged", "done"]


def test_an_empty_workspace_has_nothing_of_anything(call, workspace):
    assert "holds no runs yet" in call("list")[1]
    assert documents(call, "list") == {"groups": [], "unread": []}
    assert call("verify")[0] == 0
    assert "nothing to remove" in call("prune")[1]
    assert call("du")[0] == 0
    code, _, err = call("list", "a")
    assert code == 2
    assert is_told("no-such-group", err, group="a")
    code, _, err = call("show", "0")
    assert code == 2
    assert is_told("no-such-run", err, wanted="0")
    assert not workspace.exists()


# -- show -----------------------------------------------------------------------------------------


def test_a_run_is_shown_with_definition_history_losses_and_curve(call, workspace, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    folder = record(workspace, run(-1, Adam, keep_steps=(2,)))
    code, out, err = call("show", run(-1, Adam).id[:6])
    assert (code, err) == (0, "")
    for text in (
        run(-1, Adam).id, "Adam(learning_rate=10^-1, beta1=0.9", "RandomHeavyTailedLabels(",
        "4 steps", "done, step 4 of 4", "running, step 0", "jax ", str(folder.path),
        "At step 4: epoch 2", "classes of", "kept at steps 2", f"{LOSS} against the step",
    ):  # fmt: skip
        assert text in out
    chart = out[out.index("against the step") :].splitlines()[1:-1]
    assert len(chart) > 10
    assert all(len(line) <= 60 for line in chart)
    found = documents(call, "show", run(-1, Adam).id[:6])
    assert found["definition"]["id"] == run(-1, Adam).id
    assert [entry[1] for entry in found["details"]["history"]] == ["running", "done"]
    assert found["last"] == read_results(folder).table.iloc[-1].to_dict()


def test_a_run_that_diverged_failed_or_has_no_rows_is_shown(call, workspace):
    record(workspace, run(-1), "diverged", last=3)
    failed = record(workspace, run(-2), "running", last=1)
    failed.fail("no [power] left")
    RunFolder(workspace, run(-3)).begin({"train": np.array([1])})
    record(workspace, run(-4), "diverged", last=0)
    for exponent, text in ((-1, "diverged, step 3"), (-2, "no [power] left"), (-3, "interrupted")):
        code, out, _ = call("show", run(exponent).id)
        assert code == 0
        assert text in out
    assert documents(call, "show", run(-1).id)["last"][LOSS] == "Infinity"
    assert documents(call, "show", run(-3).id)["last"] is None
    assert call("show", run(-4).id)[0] == 0


def test_a_damaged_run_is_shown_as_far_as_it_goes(call, workspace):
    folder = record(workspace, run())
    (folder.path / "per_class.npz").write_bytes(b"")
    code, out, err = call("show", run().id)
    assert code == 1
    assert run().id in out
    assert is_told("file-damaged", err, path=folder.path / "per_class.npz")
    assert documents(call, "show", run().id, code=1)["status"] == "damaged"


def test_an_id_that_means_several_runs_is_refused(call, workspace):
    record(workspace, run()), record(workspace, run(group="b"))
    code, out, err = call("show", run().id[:8])
    assert (code, out) == (2, "")
    assert is_told("several-runs", err, number=2)
    assert call("show", f"b/{run().id[:8]}")[0] == 0


@pytest.mark.parametrize("width", [1, 20, 40, 80, 1000])
def test_curves_fit_into_any_terminal(width):
    steps = np.arange(50)
    for losses in (np.exp(-steps / 4.0), 1 - steps / 40.0, np.full(50, 2.0)):
        lines = showing.chart(steps, losses, "loss", width)
        assert max(map(len, lines)) <= max(width, 32)
    assert showing.chart(steps[:3], np.array([1.0, np.nan, np.inf]), "loss", width) == []


# -- export ---------------------------------------------------------------------------------------


def test_exports_hold_every_row_in_every_format(call, workspace, tmp_path):
    record(workspace, run(-1)), record(workspace, run(-2, Adam), "diverged", last=3)
    code, out, _ = call("export", "a", "--format", "parquet")
    file = workspace / "exports" / "a.parquet"
    assert code == 0
    assert str(file) in out
    table = pd.read_parquet(file)
    assert (len(table), set(table["optimizer"])) == (9, {"SGD", "Adam"})
    text = tmp_path / "out.csv"
    text.write_text(call("export", "a", "--format", "csv")[1], encoding="utf-8")
    assert pd.read_csv(text)[LOSS].tolist() == table[LOSS].tolist()
    rows = documents(call, "export", "a", "--format", "json")
    assert [row[LOSS] for row in rows] == table[LOSS].astype(object).replace(
        np.inf, "Infinity"
    ).tolist()
    assert {row["status"] for row in rows} == {"done", "diverged"}
    assert all(("beta1" in row) == (row["optimizer"] == "Adam") for row in rows)
    code, _, _ = call("export", "a", "--format", "csv", "--per-class", "--output", text)
    assert code == 0
    assert len(pd.read_csv(text)) == 9 * 7
    assert [p.name for p in tmp_path.iterdir() if p.name != "ws"] == ["out.csv"]
    assert "SGD & $10^{-1}$" in call("export", "a", "--format", "latex")[1]


def test_runs_that_cannot_be_read_are_left_out_of_an_export_and_named(call, workspace):
    record(workspace, run(-1))
    folder = record(workspace, run(-2))
    (folder.path / "metrics.parquet").unlink()
    code, out, err = call("export", "a", "--format", "csv")
    assert code == 1
    assert len(out.splitlines()) == 1 + 5
    assert is_told("file-damaged", err, path=folder.path / "metrics.parquet")


def test_a_table_for_each_problem_and_length(call, workspace):
    record(workspace, run(-1)), record(workspace, run(-1, eval_every=1, steps=4, seed=1))
    record(workspace, run(-1, steps=3), "diverged", last=2)
    out = call("export", "a", "--format", "latex")[1]
    assert out.count(r"\begin{tabular}") == 2
    code, _, err = call("export", "a", "--format", "latex", "--per-class")
    assert code == 2
    assert is_told("latex-by-class", err)


def test_an_export_that_cannot_be_written_leaves_the_old_one(
    call, workspace, tmp_path, monkeypatch
):
    record(workspace, run(-1))
    (tmp_path / "file").write_text("old", encoding="utf-8")
    for output in (tmp_path / "file" / "x.csv", Path("/proc/none/x.csv")):
        code, _, err = call("export", "a", "--format", "csv", "--output", output)
        assert code == 2
        assert "cannot be read or written" in err
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space")))
    assert call("export", "a", "--format", "csv", "--output", tmp_path / "file")[0] == 2
    assert (tmp_path / "file").read_text("utf-8") == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "ws"]


# -- merge and verify -----------------------------------------------------------------------------


def test_merge_says_what_became_of_runs(call, workspace, tmp_path):
    other = tmp_path / "other"
    record(workspace, run(-1)), record(other, run(-1), scale=2.0)
    record(other, run(-2)), record(other, run(-3), "preempted", last=1)
    code, out, err = call("merge", other)
    assert code == 1
    assert "1 copied, 1 left, 1 refused" in out
    assert is_told("rows-differ", err, mine=RunFolder(workspace, run(-1)).path)
    assert run(-3).id in out
    found = documents(call, "merge", other, code=1)
    assert sorted(one["what"] for one in found) == ["equal", "left", "refused"]
    record(tmp_path / "third", run(-2))
    code, out, err = call("merge", tmp_path / "third")
    assert (code, err) == (0, "")
    assert "1 here already" in out
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
    assert "All is well: 2 runs" in out
    (folder.path / "notes.txt").touch()
    (folder.path / "class_counts.npz").write_bytes(b"")
    code, out, _ = call("verify")
    assert code == 1
    assert is_told("file-damaged", out, path=folder.path / "class_counts.npz")
    assert "notes.txt" in out
    assert "1 of 2 runs are not whole; 1 other findings" in out
    found = documents(call, "verify", code=1)
    assert sorted(f["kind"] for f in found["findings"]) == ["damaged", "orphan"]


def test_verify_reads_checkpoints(call, workspace):
    folder = record(workspace, run(-1), "preempted", last=1, checkpoint="c3" * 16)
    (folder.group / "packs" / ("c3" * 16) / "1" / "states").mkdir(parents=True)
    code, out, _ = call("verify")
    assert code == 1
    assert is_told("no-checkpoint-readable", out)


# -- prune, rm, du --------------------------------------------------------------------------------


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
    assert "checkpoints of a stay" in err


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


# -- all of them ----------------------------------------------------------------------------------


MINE = """
import dataclasses
from optexp_jax import register
from optexp_jax.optim import SGD

@register("test-cli-mine")
@dataclasses.dataclass(frozen=True)
class Mine(SGD):
    pass
"""


def test_a_module_of_the_user_is_imported_first(call, workspace, tmp_path, monkeypatch):
    record(workspace, run())
    file = RunFolder(workspace, run()).path / "experiment.json"
    file.write_text(file.read_text("utf-8").replace('"SGD"', '"test-cli-mine"'), "utf-8")
    (tmp_path / "my_optimizer.py").write_text(MINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert "test-cli-mine" in call("list", "a")[2]
    _, _, err = call("list", "a", "--import", "my_optimizer")
    assert "No class is named" not in err
    code, _, err = call("list", "--import", "no_such_module")
    assert code == 2
    assert is_told("module-not-imported", err, module="no_such_module")


@pytest.mark.parametrize(
    "argv", [[], ["nonsense"], ["show"], ["export", "a"], ["export", "a", "--format", "x"]]
)
def test_mistakes_are_one_sentence(call, argv):
    code, out, err = call(*argv)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_a_workspace_that_is_a_file_holds_nothing(call, workspace):
    workspace.write_text("", encoding="utf-8")
    for argv in (["list"], ["verify"], ["du"]):
        assert call(*argv)[0] == 0


def test_optexp_is_one_door_to_the_commands(workspace, monkeypatch, capsys):
    record(workspace, run())
    for argv, code in (
        (["results", "list"], 0), (["datasets", "--nonsense"], 2), (["nonsense"], 2), ([], 2),
        (["--help"], 0), (["results", "show", "zz"], 2),
    ):  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["optexp", *argv])
        try:
            found = commands.main()
        except SystemExit as stopped:
            found = stopped.code
        captured = capsys.readouterr()
        assert found == code, argv
        assert captured.out + captured.err != ""


@pytest.mark.slow
@pytest.mark.parametrize("argv", [["list", "a"], ["export", "a", "--format", "csv"], ["du"]])
def test_output_that_nobody_reads_ends_a_command_quietly(workspace, argv):
    record(workspace, run())
    command = [sys.executable, "-m", "optexp_jax.results", *argv]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        process.stdout.close()  # as `head` does when it has seen enough
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


def test_ctrl_c_stops_verify_at_once(call, workspace, monkeypatch):
    record(workspace, run())
    read = checked_files.table_from

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return read(*arguments)

    monkeypatch.setattr(checked_files, "table_from", interrupted)
    code, out, err = call("verify")
    assert (code, out) == (128 + signal.SIGINT, "")
    assert err == "Interrupted. What was recorded is kept.\n"
