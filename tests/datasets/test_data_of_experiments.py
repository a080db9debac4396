"""The data of experiments: missing, damaged, prepared on the way."""

import re
import signal

import numpy as np
import pytest
from errors import refuses
from fake_images import write_four
from wording import is_told

from optexp_jax import Experiment, LearningRate, Problem, load_results, run
from optexp_jax.cli import main, package_main
from optexp_jax.datasets import (
    MNIST,
    Digits,
)  # fmt: skip
from optexp_jax.datasets.data import silent
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "no-tfds"))
    return tmp_path / "ws"


def on(dataset, rate=-1, group="of-files", **fields):
    size = int(np.prod(dataset.input_shape))
    problem = Problem(Linear(size, dataset.num_classes), dataset, CrossEntropy())
    return Experiment(problem, SGD(LearningRate(rate)), group, **({"steps": 2} | fields))


def test_a_run_whose_data_are_being_prepared_can_be_stopped(capsys, workspace, monkeypatch):
    def prepare(self, workspace, report=silent):
        signal.raise_signal(signal.SIGTERM)
        report("half", 1, 2)
        pytest.fail("it went on")

    monkeypatch.setattr(Digits, "is_prepared", lambda *_: False)
    monkeypatch.setattr(Digits, "prepare", prepare)
    experiments = [on(Digits(flatten=True)), on(Digits(flatten=True), rate=-2)]
    code, out, _ = run_cli(capsys, experiments, "--local")
    assert code == 128 + signal.SIGTERM
    assert "Stopped." in out
    assert {load_results(e, workspace).status for e in experiments} <= {"missing", "queued"}


def run_cli(capsys, experiments, *argv):
    with pytest.raises(SystemExit) as stopped:
        main(experiments, argv=list(argv))
    captured = capsys.readouterr()
    return stopped.value.code, captured.out, captured.err


def test_missing_data_are_told_before_anything_begins(capsys, workspace, no_network):
    (one,) = experiments = [on(MNIST(flatten=True))]
    for action in ("--test", "--local", "--single=0"):
        code, _, err = run_cli(capsys, experiments, action)
        assert code == 2
        assert "MNIST" in err
        assert "train-images-idx3-ubyte" in err
        assert err.count("\n") == 1
    assert not (workspace / "experiments").exists()
    assert load_results(one, workspace).status == "missing"
    with refuses("data-not-here", dataset="MNIST"):
        run(one, workspace)


def test_runs_that_have_their_data_are_not_kept_by_others(capsys, workspace):
    digits = on(Digits(flatten=True))
    experiments = [on(MNIST(flatten=True), rate) for rate in (-1, -2)] + [digits]
    code, out, _ = run_cli(capsys, experiments, "--local")
    assert code == 1
    (told,) = (line for line in out.splitlines() if "Skipped" in line)
    assert "MNIST" in told
    assert re.findall(r"\b\d+\b", told)[-1] == "2"  # runs that wait for it
    assert load_results(digits, workspace).status == "done"
    code, _, err = run_cli(capsys, experiments, "--local")  # nothing else is left
    assert code == 2
    assert "MNIST" in err
    with refuses("data-not-here", dataset="MNIST"):
        run([digits, experiments[0]], workspace)


@pytest.mark.slow
def test_prepare_brings_the_data_of_a_module_and_names_what_it_cannot(
    capsys, workspace, disconnected
):
    folder = workspace / "datasets" / "MNIST"
    experiments = [on(MNIST(flatten=True)), on(Digits(flatten=True))]
    code, out, err = run_cli(capsys, experiments, "--prepare")
    assert code == 2
    assert "Digits is ready." in out
    assert err.startswith("error: ")
    assert "MNIST" in err
    write_four(folder, (60_000, 10_000), ".gz")
    code, out, err = run_cli(capsys, experiments, "--prepare")
    assert (code, err) == (0, "")
    assert "MNIST is ready." in out
    assert MNIST().is_prepared(workspace)


@pytest.mark.slow
def test_data_that_are_here_are_prepared_on_the_way(capsys, workspace):
    write_four(workspace / "datasets" / "MNIST", (60_000, 10_000), ".gz")
    code, _, _ = run_cli(capsys, [on(MNIST("micro", flatten=True))], "--local")
    assert code == 0
    assert MNIST().is_prepared(workspace)


def test_a_damaged_file_fails_its_runs_in_one_sentence(capsys, workspace):
    write_four(workspace / "datasets" / "MNIST", (60_000, 10_000))
    path = workspace / "datasets" / "MNIST" / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-5])
    experiments = [on(MNIST("micro", flatten=True)), on(Digits(flatten=True))]
    code, out, _ = run_cli(capsys, experiments, "--local")
    assert code == 1
    assert is_told("idx-wrong-size", out, path=path, expected=60008, found=60003)
    assert [load_results(e, workspace).status for e in experiments] == ["failed", "done"]


def test_every_module_is_prepared_by_one_command(capsys, monkeypatch, disconnected):
    modules = {"a": [on(Digits(flatten=True))], "b": [on(MNIST(flatten=True))]}
    monkeypatch.setattr(package_main, "discover", lambda package: modules)
    with pytest.raises(SystemExit) as stopped:
        package_main.main("experiments", argv=["--prepare"])
    captured = capsys.readouterr()
    assert stopped.value.code == 2
    assert "Digits is ready." in captured.out
    assert is_told("cannot-fetch", captured.err, dataset="MNIST")
