"""`python -m experiments`: the list of all groups, and what is left of them."""

import json
import re
import subprocess
import sys

import pytest
from wording import is_told

from experiments.small import planned
from optexp_jax.cli import package_main


def test_list_as_json_is_what_is_promised(capsys):
    with pytest.raises(SystemExit) as stopped:
        package_main.main("experiments", plan=planned, argv=["--list", "--json"])
    assert stopped.value.code == 0
    listed = {entry["module"]: entry for entry in json.loads(capsys.readouterr().out)}
    entry = listed["linreg_perclass"]
    assert entry["n"] == len(entry["experiments"]) == 8
    first = entry["experiments"][0]
    assert len(first.pop("id")) == 64
    assert first == {
        "optimizer": "SGD",
        "learning_rate": "10^0",
        "momentum": 0.0,
        "seed": 0,
        "epochs": None,
        "steps": 2000,
    }
    adam = [e for e in entry["experiments"] if e["optimizer"] == "Adam"]
    assert [e["momentum"] for e in adam] == [0.0, 0.9]


def test_list_as_table_names_modules_and_groups(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    with pytest.raises(SystemExit):
        package_main.main("experiments", plan=planned, argv=["--list", "--scale", "small"])
    out = capsys.readouterr().out
    assert "linreg_perclass" in out
    assert "LinReg_HeavyTailedOneHot_perclass_small" in out


def run_all(capsys, *argv):
    with pytest.raises(SystemExit) as ended:
        package_main.main("experiments", plan=planned, argv=list(argv))
    return ended.value.code, capsys.readouterr()


def test_a_dry_run_shows_the_total_and_runs_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    code, said = run_all(capsys, "--local", "--scale", "small", "--dry-run", "--budget", "3")
    assert code == 0
    assert "LinReg_HeavyTailedOneHot_perclass_small" in said.out
    assert not list(tmp_path.rglob("experiment.json"))


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["--list", "--dry-run"], "option-needs-scheduler"),
        (["--local", "--time", "3"], "option-needs-scheduler"),
        (["--report", "--budget", "3"], "option-needs-local"),
        (["--local", "--budget", "3"], "budget-needs-small"),
        (["--local", "--budget", "0"], None),
        (["--local", "--pack", "many"], None),
        (["--local", "--micro-batch", "0"], None),
    ],
)
def test_options_that_do_nothing_or_make_no_sense_are_refused(argv, code, capsys):
    number, said = run_all(capsys, *argv)
    assert number == 2
    assert said.err.count("\n") == 1
    if code:
        assert is_told(code, said.err)
    else:  # the parser refuses it
        assert argv[1] in said.err
        assert f"'{argv[2]}'" in said.err


def test_force_plans_what_is_done_too(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    monkeypatch.setattr("optexp_jax.cli.package_main.RunFolder.is_finished", lambda self: True)
    small_dry = ("--local", "--scale", "small", "--dry-run")
    assert re.search(r"^0 ", run_all(capsys, *small_dry)[1].out, re.MULTILINE)  # runs are left
    assert not re.search(r"^0 ", run_all(capsys, *small_dry, "--force")[1].out, re.MULTILINE)


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_mistake():
    command = [sys.executable, "-m", "experiments", "--list", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as listing:
        assert listing.stdout.read(1) == b"["
        listing.stdout.close()
        assert listing.stderr.read() == b""
    assert listing.returncode == 128 + 13
