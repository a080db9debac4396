"""`--dry-run` of a module: what its runs would take, without running or loading anything."""

import re
from types import SimpleNamespace

import jax
import pytest
from wording import is_told

from optexp_jax import Experiment, LearningRate, MiniBatch, Problem
from optexp_jax.cli import main
from optexp_jax.cli.dry_run import _shapes, _short
from optexp_jax.datasets import BPE, Characters, Sequences, Shakespeare, WikiText103
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import GPT
from optexp_jax.optim import SGD, Adam

WORDS = 600
DATASET = WikiText103(tokens=BPE(WORDS), layout=Sequences(16), evaluated=32)
PROBLEM = Problem(GPT(WORDS, WORDS, 1, 2, 8), DATASET, CrossEntropy(), MiniBatch(4))
RUNS = [
    Experiment(PROBLEM, optimizer, "dry", steps=50, eval_every=10)
    for optimizer in (SGD(LearningRate(-1)), SGD(LearningRate(-2)), Adam(LearningRate(-2)))
]


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setenv("COLUMNS", "200")
    assert jax.devices()  # else --devices-per-run would choose their number for all other tests

    def run(*argv):
        with pytest.raises(SystemExit) as stopped:
            main(RUNS, argv=list(argv))
        captured = capsys.readouterr()
        return stopped.value.code, captured.out, captured.err

    yield run
    assert not list(tmp_path.rglob("*.json"))  # nothing ran


def test_it_says_what_all_runs_take_without_their_data(call):
    code, out, err = call("--dry-run", "--no-compile", "--gpu", "a100")
    assert (code, err) == (0, "")
    assert out.count("Tracing") == 2  # programs
    block = 4 * 8 * 8 + 4 * 8 + 2 * 8 * 32 + 32 + 8 + 2 * 2 * 8  # attention, MLP, norms
    parameters = 2 * WORDS * 8 + WORDS + block + 2 * 8
    assert _short(parameters) in out
    assert "3 runs one after the other on one A100" in out
    assert "40% of 19.5 TFLOP/s in float32), the peak of A100" in out
    assert out.count("100.0 M to train on and 1.0 M to validate on") == 2  # once for each program
    assert "Compil" not in out


@pytest.mark.slow
def test_options_choose_the_runs_and_how_they_run(call):
    code, out, _ = call("--dry-run", "--no-compile", "--optimizer", "Adam", "--micro-batch", "2")
    assert code == 0
    assert "1 run one after the other on one H100" in out
    assert "4 in 2" in out
    assert "Compiled" not in call("--test", "--dry-run", "--no-compile")[1]
    assert "for each run" in call("--dry-run", "--test", "--devices-per-run", "2")[1]


@pytest.mark.slow
def test_the_compiler_says_what_memory_the_largest_step_takes(call):
    code, out, _ = call("--dry-run")
    assert code == 0
    assert out.count("Compiled in") == 1
    assert "GB by the compiler" in out


@pytest.mark.slow
@pytest.mark.usefixtures("all_devices")
def test_devices_that_share_states_take_less_memory_each(call):
    def said(*argv):
        out = call("--dry-run", "--test", "--devices-per-run", "4", *argv)[1]
        return float(re.search(r"on each device ([\d.]+) GB", out)[1])

    assert said("--shard", "fsdp") <= said()
    assert (
        "No step was compiled: this machine has 4 devices, not 8."
        in call("--dry-run", "--test", "--devices-per-run", "8")[1]
    )


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (["--dry-run", "--gpu", "abacus"], "unknown-gpu"),
        (["--dry-run", "--report"], "dry-run-of-no-runs"),
        (["--local", "--gpu", "H100"], "gpu-needs-dry-run"),
        (["--local", "--no-compile"], "no-compile-needs-dry-run"),
        (["--dry-run", "--time", "7"], "option-needs-scheduler"),
    ],
)
def test_mistakes_are_one_sentence(call, argv, error):
    code, out, err = call(*argv)
    assert (code, out) == (2, "")
    assert is_told(error, err)


@pytest.mark.slow
def test_tokens_that_are_prepared_are_counted(tmp_path):
    dataset = Shakespeare(tokens=Characters(100), layout=Sequences(64))
    dataset.prepare(tmp_path)
    problem = Problem(GPT(100, 100, 1, 2, 8), dataset, CrossEntropy(), MiniBatch(4))
    said = []
    context = SimpleNamespace(settings=SimpleNamespace(workspace=tmp_path), say=said.append)
    found = _shapes(context, Experiment(problem, SGD(LearningRate(-1)), "dry", steps=1))
    assert said == []
    assert len(found.train) == len(dataset.load(tmp_path).train) > 10_000
