"""`python -m optexp_jax.results`, as a user meets it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from results_output import documents, line_of
from small_workspaces import LOSS, record, run
from wording import is_told

from optexp_jax.cli import commands
from optexp_jax.cli.results import showing
from optexp_jax.optim import Adam
from optexp_jax.results.load import read_results
from optexp_jax.results.store import RunFolder

ROOT = Path(__file__).parents[3]


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


def test_runs_that_are_unread_for_the_same_reason_are_named_once(call, workspace):
    for exponent in (-1, -2, -3):
        file = record(workspace, run(exponent)).path / "experiment.json"
        file.write_text(file.read_text("utf-8").replace('"SGD"', '"Unheard"'), "utf-8")
    code, _, err = call("list")
    assert code == 0
    assert err.count("'Unheard'") == 1
    assert "2 more" in err
    assert "--import MODULE" in err


def test_an_empty_workspace_has_nothing_of_anything(call, workspace):
    assert "There are no runs in the workspace" in call("list")[1]
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
        "At step 4: epoch 2", "classes of", "saved at steps 2", f"{LOSS} against the step",
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
    assert "There is no class" not in err
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
