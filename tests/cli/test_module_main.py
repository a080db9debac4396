"""The command line as a user meets it: options, spellings, exit codes, one sentence per mistake."""

import dataclasses
import re
import shutil
import subprocess
import sys

import pytest
from wording import is_told

from experiments.small import small
from optexp_jax import Experiment, LearningRate, Problem, load_results, run
from optexp_jax.cli import main
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.errors import OptexpError
from optexp_jax.identity import register
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear, Zeros
from optexp_jax.optim import SGD, Adam

DATASET = HeavyTailedOneHot(start_examples=4, base=2)
PROBLEM = Problem(Linear(7, 7, use_bias=False, init_values=Zeros()), DATASET, SquaredLoss())


def run_of(optimizer, **fields):
    defaults = {"group": "cli", "steps": 6, "per_class": True}
    return Experiment(PROBLEM, optimizer, **(defaults | fields))


EXPERIMENTS = [
    run_of(SGD(LearningRate(0))),
    run_of(SGD(LearningRate(-1))),
    run_of(Adam(LearningRate("-3/2"))),
]


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Call the command line; returns its exit code, output and error output."""
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "ws"))

    def run(*argv, experiments=EXPERIMENTS, **kwargs):
        with pytest.raises(SystemExit) as stopped:
            main(experiments, argv=list(argv), **kwargs)
        captured = capsys.readouterr()
        return stopped.value.code, captured.out, captured.err

    run.workspace = tmp_path / "ws"
    return run


@register("test-missing-data")
@dataclasses.dataclass(frozen=True)
class MissingData:
    num_classes = 7
    num_groups = 2

    def load(self, workspace):
        raise OptexpError(f"{workspace} holds no such file: put it there.")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A workspace in which everything is done, to be copied."""
    workspace = tmp_path_factory.mktemp("finished")
    run(EXPERIMENTS, workspace)
    return workspace


@pytest.fixture
def after_local(call, finished):
    """Like `call`, with everything done."""
    shutil.copytree(finished, call.workspace)
    return call


def status_of(call, experiment):
    return load_results(experiment, call.workspace).status


def test_test_runs_the_first_experiment_and_explains_it(call):
    code, out, _ = call("--test")
    assert code == 0
    assert [status_of(call, e) for e in EXPERIMENTS] == ["done", "missing", "missing"]
    picture = call.workspace / "plots" / "cli" / "per_class_test.png"
    assert picture.stat().st_size > 1000
    told = " ".join(out.split())
    assert all(re.search(rf"\b{n} class(es)? .*\b{of} example", told) for n, of in ((1, 4), (4, 1)))
    assert "--local" in told
    assert "per_class_test.png" in told


def test_what_is_done_is_run_again_only_with_force(after_local):
    call = after_local
    table = call.workspace / "experiments" / "cli" / EXPERIMENTS[0].id / "metrics.parquet"
    before = table.stat().st_mtime_ns
    _, out, _ = call("--test")
    assert table.stat().st_mtime_ns == before
    assert "--force" in out
    call("--test", "--force")
    assert table.stat().st_mtime_ns > before


def test_local_runs_everything_and_reports(call):
    code, out, _ = call("--run-local")
    assert code == 0
    assert {status_of(call, e) for e in EXPERIMENTS} == {"done"}
    assert "10^-3/2" in out


@pytest.mark.parametrize("spelling", ["--force", "-f", "--force-rerun"])
def test_spellings_of_force(call, spelling):
    assert call("--single", "0", spelling)[0] == 0


def test_single_runs_that_one(call):
    assert call("--single", "2")[0] == 0
    assert [status_of(call, e) for e in EXPERIMENTS] == ["missing", "missing", "done"]


def test_filters_choose_runs(call):
    call("--local", "--optimizer", "SGD", "--learning-rate", "10^-1")
    assert [status_of(call, e) for e in EXPERIMENTS] == ["missing", "done", "missing"]


def test_report_counts_states_by_rate(after_local):
    call = after_local
    shutil.rmtree(call.workspace / "experiments" / "cli" / EXPERIMENTS[1].id)
    code, out, _ = call("--report")
    assert code == 0
    rows = {line.split("│")[3].strip(): line for line in out.splitlines() if "10^" in line}
    assert set(rows) == {"10^0", "10^-1", "10^-3/2"}
    assert "done" in out
    assert "missing" in out
    assert "running" not in out


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--plot"], {"final_loss", "best_runs"}),
        (["--plot", "--perclass"], {"per_class"}),
        (["--plot-perclass"], {"per_class"}),
        (["--plot", "--epoch", "4"], {"final_loss_epoch4", "best_runs_epoch4"}),
        (["--plot", "--use_steps", "--step", "3"], {"final_loss_step3", "best_runs_step3"}),
        (["--plot", "--use_step", "--step", "3"], {"final_loss_step3", "best_runs_step3"}),
    ],
)
def test_figures_are_written_as_pdf_and_png(after_local, arguments, names):
    code, out, _ = after_local(*arguments)
    assert code == 0
    written = {path.name for path in (after_local.workspace / "plots" / "cli").iterdir()}
    assert written == {f"{name}.{kind}" for name in names for kind in ("pdf", "png")}
    assert all(name in out for name in written)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--optimizer", "SGD"], "_SGD"),
        (["--learning-rate", "10^-3/2"], "_lr=1e-1.5"),
        (["--where", " momentum = 0.9 ", "--where", "seed=0"], "_momentum=0.9_seed=0"),
        (["--where", "seed=0"], ""),  # all of it
    ],
)
def test_figures_of_a_part_have_names_of_their_own(after_local, options, part):
    code, _, err = after_local("--plot", "--format", "png", *options)
    assert (code, err) == (0, "")
    written = {path.name for path in (after_local.workspace / "plots" / "cli").iterdir()}
    assert written == {f"{name}{part}.png" for name in ("final_loss", "best_runs")}


def test_files_and_axes_are_those_that_were_asked_for(after_local):
    code, _, _ = after_local("--plot", "--format", "svg", "png", "--log", "none")
    assert code == 0
    written = {path.name for path in (after_local.workspace / "plots" / "cli").iterdir()}
    assert written == {
        f"{name}_log=none.{kind}" for name in ("final_loss", "best_runs") for kind in ("svg", "png")
    }


@pytest.mark.slow
def test_two_tuned_fields_have_a_heat_map_and_the_report_names_the_best(call):
    optimizers = [SGD(LearningRate(rate), momentum=m) for rate in (-1, 0) for m in (0.5, 0.9)]
    experiments = [run_of(optimizer) for optimizer in optimizers]
    _, out, _ = call("--local", experiments=experiments)
    assert "SGD is best with learning_rate 10^0, momentum 0." in out
    code, _, _ = call("--plot", "--format", "png", experiments=experiments)
    assert code == 0
    written = {path.stem for path in (call.workspace / "plots" / "cli").iterdir()}
    assert written == {
        *("final_loss", "best_runs"),
        *("heat_map_learning_rate_momentum", "best_runs_by_momentum"),
    }


def test_plots_of_partial_results_say_what_is_missing(after_local):
    call = after_local
    for experiment in EXPERIMENTS[1:]:
        shutil.rmtree(call.workspace / "experiments" / "cli" / experiment.id)
    code, out, _ = call("--plot")
    assert code == 0
    assert re.search(r"\b2\b.*\b3\b", out)  # of the runs


@pytest.mark.slow
def test_a_diverged_run_is_not_a_failure(call):
    experiments = [run_of(SGD(LearningRate(30)), steps=20), *EXPERIMENTS]
    code, out, _ = call("--local", experiments=experiments)
    assert code == 0
    assert status_of(call, experiments[0]) == "diverged"
    assert "diverged" in out


@pytest.mark.parametrize(
    ("arguments", "code", "values"),
    [
        (["--single", "3"], "no-such-number", {"number": 3}),
        (["--single", "-1"], "no-such-number", {"number": -1}),
        (["--single", "999999999999"], "no-such-number", {"number": 999999999999}),
        (["--local", "--optimizer", "Adma"], "unknown-optimizer", {"optimizer": "Adma"}),
        (["--local", "--optimizer", "Ad\nam"], "unknown-optimizer", {"optimizer": "Ad\\nam"}),
        (["--local", "--learning-rate", "10^-7"], "no-such-rate", {"rate": "10^-7"}),
        (["--plot"], "nothing-recorded", {}),
        (["--plot", "--step", "5"], "step-needs-use-steps", {}),
        (["--plot", "--epoch", "5", "--use_steps"], "epoch-with-use-steps", {}),
        (["--local", "--scale", "small"], "no-form-here", {"scale": "small"}),
        (["--slurm"], "no-profile-named", {}),
        (["--local", "--devices-per-run", "3"], "devices-not-shareable", {"per_run": 3}),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(call, arguments, code, values):
    number, out, err = call(*arguments)
    assert (number, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert is_told(code, err, **values)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--single", "x"], ["--single", "invalid int"]),
        (["--single", "1_0"], ["--single", "invalid int"]),
        (["--local", "--learning-rate", "10^x"], ["'10^x'", "10^-3/2"]),
        (["--plot", "--epoch", "0"], ["'0'", "--epoch"]),
        (["--local", "--scale", "tiny"], ["tiny", "small"]),
        (["--local", "--checkpoint-every", "soon"], ["'soon'", "--checkpoint-every"]),
        (["--local", "--checkpoint-every", "nan"], ["'nan'", "--checkpoint-every"]),
        (["--local", "--checkpoint-every", "-1"], ["--checkpoint-every"]),
        (["--local", "--pack", "²"], ["'²'", "--pack"]),
        (["--local", "--pack", "1\n"], ["'1\\n'", "--pack"]),
        (["--local", "--pack", "9" * 5000], ["'999", "...'", "999,999,999,999,999"]),
        (["--nonsense"], ["--help"]),
        ([], ["--test", "--local"]),
    ],
)
def test_what_the_parser_refuses_is_one_sentence_too(call, arguments, words):
    code, out, err = call(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert all(word in err for word in words)


@pytest.mark.parametrize(
    ("name", "value"), [("OPTEXP_WANDB_ENABLED", "maybe"), ("OPTEXP_WANDB_MODE", "sometimes")]
)
def test_a_wrong_environment_value_is_named(call, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    code, _, err = call("--test")
    assert code == 2
    assert name in err
    assert value in err


def test_a_workspace_that_cannot_be_written_is_named(call, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "file" / "ws"))
    code, _, err = call("--test")
    assert code == 2
    assert is_told("workspace-unwritable", err, folder=tmp_path / "file" / "ws")


@pytest.mark.parametrize("name", ["metrics.parquet", "status.json", "per_class.npz"])
def test_a_damaged_file_is_named_and_force_repairs(after_local, name):
    call = after_local
    path = call.workspace / "experiments" / "cli" / EXPERIMENTS[0].id / name
    path.write_bytes(path.read_bytes()[:20])
    code, _, err = call("--plot", "--perclass")
    assert code == 2
    assert is_told("file-damaged", err, path=path)
    assert call("--test", "--force")[0] == 0


def test_a_run_that_fails_keeps_its_reason_and_the_others_run(call):
    bad_data = Experiment(
        Problem(Linear(7, 7), MissingData(), SquaredLoss()), SGD(LearningRate(0)), "cli", steps=2
    )
    code, out, _ = call("--local", experiments=[bad_data, EXPERIMENTS[0]])
    assert code == 1
    assert "no such file: put it there" in out
    assert status_of(call, bad_data) == "failed"
    assert status_of(call, EXPERIMENTS[0]) == "done"


def test_equal_failures_are_one_sentence_with_a_count(call):
    problem = Problem(Linear(7, 7), MissingData(), SquaredLoss())
    bad = [Experiment(problem, SGD(LearningRate(e)), "cli", steps=2) for e in (-1, 0, 1)]
    for action in ("--local", "--report"):
        out = " ".join(call(action, experiments=bad)[1].split())
        assert out.count("3 runs failed, such as") == (2 if action == "--local" else 1)
    assert out.count("no such file: put it there") == 1


def test_help_shows_every_option_with_an_example(call):
    code, out, _ = call("--help")
    assert code == 0
    for option in ("--test", "--local", "--single", "--report", "--plot", "--force", "--scale"):
        assert option in out
    assert "examples:" in out


def test_an_experiment_of_two_groups_is_run_for_both(tmp_path):
    both = [run_of(SGD(LearningRate(-1)), group=group) for group in ("one", "other")]
    assert both[0] == both[1]
    assert [r.status for r in run([*both, both[0]], tmp_path)] == ["done"] * 3
    stored = tmp_path.glob("experiments/*/*/metrics.parquet")
    assert sorted(path.parts[-3] for path in stored) == ["one", "other"]


def test_small_experiments_have_their_own_group_and_id():
    from experiments.linreg_perclass import experiments

    shrunk = small(experiments)
    assert len(shrunk) == len(experiments)
    assert not {e.id for e in shrunk} & {e.id for e in experiments}
    assert all(e.group.endswith("_small") for e in shrunk)


@pytest.mark.slow
def test_a_module_of_ones_own_works_the_same_way(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(_OWN)
    done = subprocess.run(
        [sys.executable, script, "--test"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "python mine.py --local" in done.stdout
    assert (tmp_path / "workspace" / "experiments" / "mine").is_dir()


_OWN = """
from optexp_jax import Experiment, LearningRate, Problem
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.cli import main
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear, Zeros
from optexp_jax.optim import SGD

dataset = HeavyTailedOneHot(start_examples=4, base=2)
model = Linear(dataset.num_inputs, dataset.num_classes, init_values=Zeros())
problem = Problem(model, dataset, SquaredLoss())
experiments = [Experiment(problem, SGD(LearningRate(-1)), group="mine", steps=5)]

if __name__ == "__main__":
    main(experiments)
"""
