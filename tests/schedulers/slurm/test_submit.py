"""What --slurm, --report and --cancel say to SLURM, whose programs are stand-ins here."""

import dataclasses
import errno
import json
import re
import shutil

import numpy as np
import pytest
from fabricated import fabricate
from slurm_standins import Slurm
from wording import is_told

from optexp_jax import Experiment, LearningRate, Problem
from optexp_jax.cli import main
from optexp_jax.datasets import HeavyTailedOneHot, RandomHeavyTailedLabels
from optexp_jax.losses import CrossEntropy, SquaredLoss
from optexp_jax.models import Linear, Zeros
from optexp_jax.optim import SGD, Adam
from optexp_jax.results.run_folders import RunFolders
from optexp_jax.results.store import RunFolder
from optexp_jax.schedulers.manifest import Manifest
from optexp_jax.schedulers.submit import left_to_send
from optexp_jax.training.memory import estimate, shapes_of
from optexp_jax.training.pack import Pack

DATASET = HeavyTailedOneHot(start_examples=4, base=2)
PROBLEM = Problem(Linear(7, 7, use_bias=False, init_values=Zeros()), DATASET, SquaredLoss())
OPTIMIZERS = [*(SGD(LearningRate(-e)) for e in range(5)), Adam(LearningRate(-1))]
GRID = [Experiment(PROBLEM, o, group="sent", steps=3) for o in OPTIMIZERS]


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    found = Slurm(folder)
    monkeypatch.setenv("PATH", found.path)
    return found


@pytest.fixture
def call(tmp_path, monkeypatch, capsys, slurm):
    """Call the command line; returns its exit code, output and error output."""
    del slurm
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "work space"))

    def called(*argv, experiments=GRID):
        with pytest.raises(SystemExit) as stopped:
            main(experiments, slurm="two_cores", argv=list(argv))
        captured = capsys.readouterr()
        return stopped.value.code, captured.out, captured.err

    return called


@pytest.fixture
def workspace(tmp_path):
    return tmp_path / "work space"


def manifests(workspace):
    return [Manifest.read(p) for p in sorted(workspace.glob("slurm/*/manifest.json"))]


def the_script(workspace):
    (path,) = workspace.glob("slurm/*/job.sh")
    return path.read_text()


def states(*of_tasks, job=1, name=None):
    """What squeue lists of an array."""
    lines = [f"{job}|{i}|{state}|{name}" for i, state in enumerate(of_tasks)]
    return "\n".join(lines) + "\n"


def begun(workspace, experiment):
    """A run that has started and recorded nothing."""
    folder = RunFolder(workspace, experiment)
    folder.begin({"train": np.ones(7, int)}, total_steps=3)
    return folder


def name_of(workspace):
    (path,) = workspace.glob("slurm/*/job.sh")
    return path.parent.name


def test_a_grid_is_one_array_of_packs(call, slurm, workspace):
    code, out, err = call("--slurm")
    assert (code, err) == (0, "")
    (sent,) = slurm.calls("sbatch")
    assert sent == ["--parsable", str(workspace / "slurm" / name_of(workspace) / "job.sh")]
    (manifest,) = manifests(workspace)
    assert sorted(manifest.runs) == sorted((e.group, e.id) for e in GRID)
    assert [len(packs[0]) for packs in manifest.tasks] == [5, 1]
    assert re.search(r"\b1\b.*\b2\b.*\b6\b", out)  # job, tasks, runs
    assert json.loads((workspace / "slurm" / name_of(workspace) / "submitted.json").read_text())
    script = the_script(workspace)
    assert "#SBATCH --array=0-1\n" in script
    assert "#SBATCH --requeue\n" in script
    assert "--gres" not in script


def test_packs_of_k_are_tasks_and_large_arrays_are_split(call, slurm, workspace):
    slurm.answer("scontrol", "MaxArraySize            = 4\n")
    call("--slurm", "--pack", "1")
    assert [len(m.tasks) for m in manifests(workspace)] == [4, 2]
    assert len(slurm.calls("sbatch")) == 2
    every = [run for m in manifests(workspace) for run in m.runs]
    assert sorted(every) == sorted((e.group, e.id) for e in GRID)


def test_auto_makes_packs_that_fit_the_device(call, workspace, tmp_path):
    dataset = RandomHeavyTailedLabels(5)
    model = Linear(dataset.num_inputs, dataset.num_classes)
    problem = Problem(model, dataset, CrossEntropy())
    grid = [Experiment(problem, SGD(LearningRate(-e)), group="sent", steps=3) for e in range(5)]
    needed = estimate(Pack(tuple(grid[:2])), shapes_of(grid[0])).total
    text = f'[tiny]\ntime = "10"\nmemory = "1G"\ngpus = 1\ngpu_memory = "{needed // 819 + 1}K"\n'
    (tmp_path / "tiny.toml").write_text(text)
    call("--slurm", "--profiles", "tiny.toml", "--profile", "tiny", experiments=grid)
    (manifest,) = manifests(workspace)
    assert [len(packs[0]) for packs in manifest.tasks] == [2, 2, 1]
    assert "#SBATCH --gres=gpu:1\n" in the_script(workspace)


def test_packs_are_sized_by_what_devices_share(call, workspace, tmp_path):
    dataset = RandomHeavyTailedLabels(7)
    problem = Problem(Linear(dataset.num_inputs, dataset.num_classes), dataset, CrossEntropy())
    grid = [Experiment(problem, Adam(LearningRate(-e)), group="sent", steps=3) for e in range(4)]
    needed = estimate(Pack(tuple(grid), devices=2, shard="fsdp"), shapes_of(grid[0])).total
    (tmp_path / "tiny.toml").write_text(
        '[tiny]\ntime = "10"\nmemory = "1G"\ngpus = 2\ndevices_per_run = 2\n'
        f'gpu_memory = "{needed // 819 + 1}K"\n'
    )
    profile = ("--profiles", "tiny.toml", "--profile", "tiny")
    largest = {}
    for shard in ("data", "fsdp"):
        call("--slurm", *profile, "--shard", shard, experiments=grid)
        (manifest,) = manifests(workspace)
        largest[shard] = max(len(packs[0]) for packs in manifest.tasks)
        shutil.rmtree(workspace / "slurm")
    assert largest == {"data": 1, "fsdp": 4}


def test_packs_share_a_gpu_as_processes(call, workspace):
    call("--slurm", "--pack", "1", "--per-gpu", "4")
    (manifest,) = manifests(workspace)
    assert [len(packs) for packs in manifest.tasks] == [4, 2]
    assert "#SBATCH --cpus-per-task=8\n" in the_script(workspace)


def test_test_and_single_send_one_run(call, workspace):
    call("--test", "--slurm")
    call("--single", "5", "--slurm")
    sent = [run for m in manifests(workspace) for run in m.runs]
    assert sent == [(GRID[0].group, GRID[0].id), (GRID[5].group, GRID[5].id)]


def test_options_and_environment_reach_the_script(call, workspace, monkeypatch):
    monkeypatch.setenv("OPTEXP_SLURM_ACCOUNT", "def-mine")
    monkeypatch.setenv("OPTEXP_SLURM_NOTIFICATION_EMAIL", "me@example.org")
    monkeypatch.setenv("WANDB_API_KEY", "hush")
    call("--slurm", "--time", "2-00:00:00", "--partition", "long", "--max-concurrent", "3")
    script = the_script(workspace)
    for line in ("account=def-mine", "mail-user=me@example.org", "time=2-00:00:00"):
        assert f"#SBATCH --{line}\n" in script
    assert "#SBATCH --array=0-1%3\n" in script
    assert "export OPTEXP_WANDB_ENABLED=false\n" in script
    files = [p for p in workspace.rglob("*") if p.is_file()]
    assert not [p for p in files if "hush" in p.read_text(errors="replace")]


def test_a_dry_run_shows_the_script_and_sends_nothing(call, slurm, workspace):
    code, out, err = call("--slurm", "--dry-run")
    assert (code, err) == (0, "")
    assert "#SBATCH --array=0-1\n" in out
    assert re.search(r"\b6\b.*\b2\b", out.splitlines()[-1])  # runs, tasks
    assert not slurm.calls("sbatch")
    assert not workspace.exists()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("Invalid account", "sbatch: error: Batch job submission failed: Invalid account"),
        ("invalid partition", "sbatch: error: invalid partition specified: long"),
        ("QOSMaxSubmitJob", "sbatch: error: Batch job submission failed: QOSMaxSubmitJobPerUser"),
    ],
)
def test_a_refusal_is_one_sentence_and_leaves_nothing(call, slurm, workspace, words, error):
    slurm.answer("sbatch", error=error + "\n", code=1)
    code, _, err = call("--slurm")
    assert code == 2
    assert is_told("command-refused", err, command="sbatch")
    assert words in err
    assert err.count("\n") == 1
    assert list(workspace.glob("slurm/*")) == []


def test_nothing_is_sent_while_the_queue_is_unknown(call, slurm):
    slurm.answer("squeue", error="slurm_load_jobs error: Unable to contact controller\n", code=1)
    code, _, err = call("--slurm")
    assert code == 2
    assert is_told("command-refused", err, command="squeue")
    assert "Unable to contact controller" in err
    assert not slurm.calls("sbatch")
    assert call("--report")[0] == 0


def test_a_program_that_cannot_be_called_says_so(call, slurm):
    slurm.remove("squeue")
    (slurm.folder / "squeue").mkdir()
    code, _, err = call("--slurm")
    assert code == 2
    assert is_told("command-not-callable", err, command="squeue", cause="Permission denied")


def test_what_slurm_says_may_have_other_digits_letters_and_lines(call, slurm, workspace):
    slurm.answer("sbatch", "²\n")
    assert is_told("no-job-named", call("--slurm")[2], answer="²")
    slurm.answer("sbatch", "count")
    call("--slurm")
    name = name_of(workspace)
    lines = (
        f"²|0|RUNNING|{name}\nno columns\n|||\n7|0|RUNNING|two\u2028lines|x\n2|0|PENDING|{name}\n"
    )
    slurm.answer("squeue", lines)
    assert "2_0" in call("--cancel")[1]


@pytest.mark.parametrize(
    ("name", "left"), [("manifest.json", 0), ("job.sh", 0), ("submitted.json", 1)]
)
def test_a_disk_that_is_full_is_one_sentence(call, slurm, workspace, monkeypatch, name, left):
    def write(path, text):
        if path.name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_text(text, encoding="utf-8")

    monkeypatch.setattr("optexp_jax.results.checked_files.write_text", write)
    code, _, err = call("--slurm")
    assert code == 2
    assert "No space left on device" in err
    assert err.count("\n") == 1
    assert len(list(workspace.glob("slurm/*"))) == len(slurm.calls("sbatch")) == left
    if left:
        assert is_told("submission-not-written", err, job="1")
        assert "scancel 1" in err


def test_a_task_outside_of_its_array_is_a_mistake(call, workspace, monkeypatch):
    call("--slurm")
    (path,) = workspace.glob("slurm/*/manifest.json")
    for index, process in (("2", "0"), ("0", "1"), ("0", "-1"), ("²", "0")):
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", index)
        code, _, err = call("--task", str(path), "--process", process)
        assert code == 2
        assert is_told("task-outside-of-scheduler", err)


@pytest.mark.parametrize("action", ["--slurm", "--cancel"])
def test_a_machine_without_slurm_says_so(call, slurm, action):
    for name in ("sbatch", "scontrol", "squeue"):
        slurm.remove(name)
    code, _, err = call(action)
    assert code == 2
    assert is_told("command-missing", err)


def test_what_is_done_or_on_its_way_is_not_sent_again(call, slurm, workspace):
    fabricate(workspace, GRID[0])
    call("--slurm")
    (manifest,) = manifests(workspace)
    assert len(manifest.runs) == 5
    slurm.answer("squeue", states("RUNNING", "PENDING", name=name_of(workspace)))
    code, out, _ = call("--slurm")
    assert code == 0
    assert re.search(r"\b5\b", out)  # runs are on their way
    assert len(slurm.calls("sbatch")) == 1
    # A job of an earlier cluster with the same number is another one.
    slurm.answer("squeue", states("RUNNING", "PENDING", name="other"))
    call("--slurm")
    assert len(slurm.calls("sbatch")) == 2


def test_an_experiment_of_two_groups_is_sent_for_both(tmp_path):
    both = [dataclasses.replace(GRID[0], group=group) for group in ("one", "other")]
    left, busy = left_to_send([*both, both[0]], RunFolders(tmp_path), force=False)
    assert ([e.group for e in left], busy) == (["one", "other"], 0)


def test_force_sends_what_is_done_and_nothing_twice(call, slurm, workspace):
    for experiment in GRID:
        fabricate(workspace, experiment)
    call("--slurm")
    assert not manifests(workspace)
    call("--slurm", "--force")
    (manifest,) = manifests(workspace)
    assert len(manifest.runs) == 6
    assert manifest.options["force"]


def test_the_report_joins_files_and_queue(call, slurm, workspace):
    call("--slurm", "--pack", "1")
    name = name_of(workspace)
    queue = states("FAILED", "PENDING", "OUT_OF_MEMORY", "RUNNING", "CANCELLED", name=name)
    slurm.answer("squeue", queue)
    begun(workspace, GRID[0]).write_status(status="failed", reason="No such file.")
    begun(workspace, GRID[3])  # its lock is on another machine
    (workspace / "slurm" / name / "logs" / "task-2.log").write_text("one\nKilled\n\n")
    code, out, _ = call("--report")
    assert code == 0
    lines = [line.replace("┃", " ").replace("│", " ").split() for line in out.splitlines()]
    names = next(line[4:] for line in lines if line[:1] == ["optimizer"])
    counts = dict(zip(names, next(line[1:] for line in lines if line[:1] == ["all"]), strict=True))
    assert counts == {"running": "1", "queued": "1", "failed": "1", "missing": "3"}
    assert re.search(rf"{GRID[0].short_id}.*No such file\.", out)
    assert re.search(r"\b1_2\b.*OUT_OF_MEMORY.*Killed", out)
    assert re.search(r"\b1_4\b.*CANCELLED", out)


def test_accounts_tell_what_the_queue_has_forgotten(call, slurm, workspace):
    call("--slurm")
    name = name_of(workspace)
    slurm.answer("sacct", f"1_0|TIMEOUT|{name}\n1_1|CANCELLED by 0|{name}\n")
    out = call("--report")[1]
    assert re.search(r"\b1_0\b.*TIMEOUT", out)
    assert re.search(r"\b1_1\b.*CANCELLED", out)


def test_cancel_takes_the_tasks_of_these_runs_only(call, slurm, workspace):
    call("--slurm", "--pack", "1")
    queue = states("COMPLETED", *["PENDING"] * 5, name=name_of(workspace))
    slurm.answer("squeue", queue + "9|0|RUNNING|other\n")
    code, out, _ = call("--cancel", "--optimizer", "SGD")
    assert code == 0
    assert slurm.calls("scancel") == [["1_1", "1_2", "1_3", "1_4"]]
    assert re.search(r"\b4\b", out)  # tasks
    assert call("--cancel", "--learning-rate", "10^0")[0] == 0
    assert len(slurm.calls("scancel")) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "values"),
    [
        (["--slurm", "--local"], "scheduler-goes-alone", {"scheduler": "slurm"}),
        (["--slurm", "--memory", "16GM"], "not-a-memory-size", {"value": "16GM"}),
        (["--slurm", "--profile", "fast"], "unknown-profile", {"name": "fast"}),
        (["--local", "--time", "1:00:00"], "option-needs-scheduler", {"option": "--time"}),
        (["--report", "--partition", "long"], "option-needs-scheduler", {"option": "--partition"}),
        (["--task", "manifest.json"], "manifest-unreadable", {"path": "manifest.json"}),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(call, arguments, code, values):
    number, _, err = call(*arguments)
    assert number == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert is_told(code, err, **values)


def test_a_number_that_is_none_is_refused_by_the_parser(call):
    number, _, err = call("--slurm", "--per-gpu", "0")
    assert (number, err.count("\n")) == (2, 1)
    assert "--per-gpu" in err
