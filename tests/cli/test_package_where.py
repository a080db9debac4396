"""`python -m <package> ... --where FIELD=VALUE`: the runs of all modules that have a value."""

import json

import pytest
from wording import is_told

from optexp_jax.cli import package_main
from optexp_jax.results.workspace import recorded_runs


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))

    def called(*argv):
        with pytest.raises(SystemExit) as ended:
            package_main.main("tiny_grids", argv=list(argv))
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return called


def test_lists_hold_the_runs_that_have_the_value(call):
    code, out, _ = call("--list", "--json", "--where", "learning_rate=0.1")
    assert code == 0
    assert [(m["module"], m["n"]) for m in json.loads(out)] == [("descent", 1), ("signs", 1)]
    out = call("--list", "--where", "optimizer=SignDescent")[1]
    assert "signs" in out
    assert "descent" not in out


def test_only_those_are_run_and_reported(call, tmp_path):
    conditions = ("--where", "optimizer=SGD", "--where", "learning_rate=1.0")
    code, out, _ = call("--local", *conditions)
    assert code == 0
    assert "signs" not in out
    (folder,) = recorded_runs(tmp_path).runs
    assert str(folder.experiment.optimizer.learning_rate) == "10^0"
    assert "1 run is left" in out
    assert "0 runs are left" in call("--local", *conditions)[1]
    assert "2 runs are left" in call("--local", "--dry-run", "--where", "learning_rate=10^-1")[1]


@pytest.mark.parametrize(
    ("condition", "code"),
    [("seed", "no-condition"), ("sede=0", "no-such-field"), ("seed=7", "no-such-value")],
)
def test_mistakes_are_those_of_every_command(call, condition, code):
    number, out, err = call("--local", "--where", condition)
    assert (number, out) == (2, "")
    assert is_told(code, err)
