"""Inside a task: processes, their signals, and when the task is queued again."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from slurm_standins import Slurm
from wording import is_told

from optexp_jax.schedulers.manifest import Manifest

# A process that waits for a signal, or ends as its pack's run is called.
PROGRAM = """
import os, pathlib, signal, sys, time
from optexp_jax.schedulers.manifest import Manifest
path, number = sys.argv[sys.argv.index("--task") + 1], int(sys.argv[-1])
task = int(os.environ["SLURM_ARRAY_TASK_ID"])
((group, what),) = Manifest.read(pathlib.Path(path)).tasks[task][number]
print(what, os.environ.get("XLA_PYTHON_CLIENT_MEM_FRACTION"), flush=True)
if what == "wait":
    for number in (signal.SIGUSR1, signal.SIGTERM):
        signal.signal(number, lambda n, frame: sys.exit(128 + n))
    print("ready", flush=True)
    time.sleep(60)
if what == "die":
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(int(what))
"""
RUNNING = "JobId=17 JobState=RUNNING Reason=None PreemptTime=None"
CANCELLED = "JobId=17 JobState=COMPLETING Reason=None PreemptTime=None"
PREEMPTED = "JobId=17 JobState=COMPLETING Reason=None PreemptTime=2026-01-01T00:00:00"
BY_SLURM = "JobId=17 JobState=COMPLETING Reason=None Restarts=1 PreemptTime=None"
TIMEOUT = "JobId=17 JobState=COMPLETING Reason=TimeLimit PreemptTime=None"


@pytest.fixture
def slurm(tmp_path):
    (tmp_path / "bin").mkdir()
    found = Slurm(tmp_path / "bin")
    found.answer("scontrol", RUNNING)
    return found


@pytest.fixture
def start(tmp_path, slurm):
    """Start the task of packs that do what they are called; returns the process."""

    def started(*packs, restarts=0, task=0, max_requeues=2, container=""):
        program = tmp_path / "program.py"
        program.write_text(PROGRAM)
        tasks = (tuple((("group", what),) for what in packs),)
        command = (sys.executable, str(program))
        fields = (str(tmp_path), str(tmp_path), None, "", {}, 1, max_requeues, tasks)
        Manifest(command, *fields, container=container).write(tmp_path / "manifest.json")
        (tmp_path / "logs").mkdir(exist_ok=True)
        environment = os.environ | {
            "PATH": slurm.path,
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "SLURM_ARRAY_JOB_ID": "17",
            "SLURM_ARRAY_TASK_ID": str(task),
            "SLURM_RESTART_COUNT": str(restarts),
        }
        module = "optexp_jax.schedulers.slurm.supervise"
        command = [sys.executable, "-m", module, str(tmp_path / "manifest.json")]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)

    return started


def ended(process):
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


def requeued(slurm):
    return [call[1] for call in slurm.calls("scontrol") if call[0] == "requeue"]


@pytest.mark.parametrize(("packs", "code"), [(["0"], 0), (["1"], 1), (["0", "2", "1"], 2)])
def test_the_exit_code_is_that_of_the_first_that_failed(start, slurm, packs, code):
    assert ended(start(*packs))[0] == code
    assert not requeued(slurm)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_signals_are_passed_on_and_the_task_is_queued_again(start, slurm, number):
    process = start("wait")
    assert process.stdout.readline().startswith("wait None")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    code, out, _ = ended(process)
    assert code == 128 + number
    assert number.name in out
    assert "17_0" in out
    assert requeued(slurm) == ["17_0"]


def test_a_process_that_is_killed_is_started_again_with_its_task(start, slurm):
    code, _, _ = ended(start("die", "0"))
    assert code == 128 + signal.SIGKILL
    assert requeued(slurm) == ["17_0"]


APPTAINER = """#!/bin/sh
echo "apptainer $*"
while [ "$1" != python ]; do shift; done
shift
exec "$PYTHON_IN_IMAGE" "$@"
"""


@pytest.mark.parametrize("device", ["", "0"])
def test_a_container_trains(start, slurm, tmp_path, monkeypatch, device):
    """What stands in for Apptainer runs the Python of this machine."""
    monkeypatch.setenv("PYTHON_IN_IMAGE", sys.executable)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", device)
    engine = tmp_path / "bin" / "apptainer"
    engine.write_text(APPTAINER)
    engine.chmod(0o755)
    code, out, err = ended(start("0", container="/images/optexp.sif"))
    first, second = out.splitlines()[:2] if code == 0 else [err, ""]
    with_gpu = ["--nv"] if device else []
    bound = ["--bind", f"{tmp_path},{tmp_path}", "/images/optexp.sif"]
    assert first.split()[: 5 + len(with_gpu)] == ["apptainer", "exec", *with_gpu, *bound]
    assert second.startswith("0 ")
    assert code == 0


def test_packs_have_logs_and_shares_of_the_device(start, tmp_path):
    code, out, _ = ended(start("0", "3"))
    assert code == 3
    assert re.search(r"\b1\b.*\b3\b", out)  # the process and its code
    assert (tmp_path / "logs" / "task-0-0.log").read_text() == "0 0.450\n"
    assert (tmp_path / "logs" / "task-0-1.log").read_text() == "3 0.450\n"


@pytest.mark.parametrize(
    ("state", "calls"),
    [(RUNNING, 1), (PREEMPTED, 1), (TIMEOUT, 1), (BY_SLURM, 0), (CANCELLED, 0)],
)
def test_only_what_was_cancelled_stays_so(start, slurm, state, calls):
    slurm.answer("scontrol", state)
    assert "17_0" in ended(start("die"))[1]
    assert len(requeued(slurm)) == calls


def test_a_task_is_not_queued_again_for_ever(start, slurm):
    assert re.search(r"\b2\b", ended(start("die", restarts=2))[1])
    assert not requeued(slurm)
    ended(start("die", restarts=1))
    assert requeued(slurm)


def test_a_cluster_that_does_not_answer_leaves_the_code(start, slurm):
    slurm.answer("scontrol", error="slurm_load_jobs error: Unable to contact controller", code=1)
    code, out, err = ended(start("die"))
    assert (code, err) == (137, "")
    assert "Unable to contact controller" in out


def test_a_task_that_the_manifest_lacks_is_a_mistake(start):
    code, _, err = ended(start("0", task=5))
    assert code == 2
    assert err.startswith("error: ")
    assert is_told("no-such-task", err, task=5)


def test_no_jax_is_imported_beside_those_that_train():
    seen = "import sys, optexp_jax.schedulers.slurm.supervise; print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
