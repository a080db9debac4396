"""Against a real SLURM on this machine: what is stopped, killed or cut off ends as if it never was.

The cluster is that of `slurm/local_cluster.sh`, started for these tests.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cluster_grid import experiments
from tiny_grids import descent, signs
from wording import is_told

from optexp_jax.results.load import load_results
from optexp_jax.results.store import RunFolder

ROOT = Path(__file__).parents[3]
GRID = ROOT / "tests" / "helpers" / "cluster_grid.py"
PATIENCE = 900.0  # seconds
QUEUE = ("-h", "-r", "-o", "%F_%K|%r")

DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch")
MISSING = [n for n in DAEMONS if not shutil.which(n, path=os.environ["PATH"] + ":/usr/sbin")]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"SLURM is not installed: {', '.join(MISSING)}"),
    pytest.mark.skipif(os.getuid() != 0, reason="SLURM's daemons need root"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster of its own; the environment of its clients."""
    state = tmp_path_factory.mktemp("slurm")
    environment = {
        k: v for k, v in os.environ.items() if k not in ("XLA_FLAGS", "JAX_PLATFORMS")
    } | {
        "OPTEXP_SLURM_STATE": str(state),
        "SLURM_CONF": str(state / "slurm.conf"),
        "OPTEXP_WANDB_ENABLED": "false",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{GRID.parent}",
        # Programs are compiled once for all tasks.
        "JAX_COMPILATION_CACHE_DIR": str(state / "compiled"),
    }
    script = ROOT / "slurm" / "local_cluster.sh"
    started = subprocess.run([script, "start"], env=environment, capture_output=True, text=True)
    if started.returncode:
        pytest.skip(f"SLURM's daemons do not start here: {started.stderr.strip()}")
    written = state / "munged.pid"  # only if it did not run before
    munged = written.read_text().strip() if written.exists() else None
    yield environment
    subprocess.run([script, "stop"], env=environment, check=True, capture_output=True)
    assert munged is None or not is_munged(munged)


def is_munged(pid):
    """Whether a process is alive and a munged; one that has ended may wait for its parent."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and re.match(r"\d+ \(munged\) [^Z]", stat.read_text()) is not None


class Grid:
    """A grid in a workspace, on the cluster: that of `cluster_grid.py`, or of another program."""

    def __init__(self, workspace, environment, slowly=0.0, program=(str(GRID),)):
        self.workspace = workspace
        self.program = program
        self.environment = environment | {
            "OPTEXP_WORKSPACE": str(workspace),
            "SLOWLY": str(slowly),
        }

    def call(self, *arguments, code=0):
        command = [sys.executable, *self.program, *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def slurm(self, *command):
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def submit(self, *arguments):
        """Send runs; the id of the array."""
        return re.search(r"Job (\d+):", self.call("--slurm", *arguments))[1]

    def status(self, experiment):
        return RunFolder(self.workspace, experiment).read_status()

    def wait(self, what, until):
        """Wait until something holds; meanwhile what is queued again need not wait its time."""
        end, seen = time.monotonic() + PATIENCE, {}
        while not until():
            assert time.monotonic() < end, f"{what}: {self.call('--report')}\n{self.logs()}"
            time.sleep(0.5)
            queue = (line.split("|") for line in self.slurm("squeue", *QUEUE).splitlines())
            held = [task for task, reason in queue if reason == "BeginTime"]
            seen = {task: seen.get(task, time.monotonic()) for task in held}
            for task, since in seen.items():
                # The node refuses a task that starts in the second in which it was stopped.
                if time.monotonic() - since > 2:
                    self.slurm("scontrol", "update", f"JobId={task}", "StartTime=now")

    def wait_for(self, status, *experiments):
        self.wait(status, lambda: all(self.status(e).get("status") == status for e in experiments))

    def wait_for_checkpoint(self, experiment):
        self.wait("checkpoint", lambda: self.status(experiment).get("checkpoint"))

    def logs(self):
        return "\n".join(p.read_text() for p in sorted(self.workspace.glob("slurm/*/logs/*")))


@pytest.fixture(scope="module")
def whole(cluster, tmp_path_factory):
    """The grid sent to the cluster and left alone."""
    grid = Grid(tmp_path_factory.mktemp("whole"), cluster)
    grid.submit()
    grid.submitted_again = grid.call("--slurm")
    grid.wait_for("done", *experiments)
    return grid


def assert_same_rows(found, wanted):
    for name in ("status", "steps"):
        if hasattr(found, name):
            np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
    assert list(found.table) == list(wanted.table)
    for name in found.table:
        np.testing.assert_array_equal(found.table[name], wanted.table[name], err_msg=name)
    for name in found.per_class:
        np.testing.assert_array_equal(found.per_class[name], wanted.per_class[name], err_msg=name)


def test_a_grid_goes_from_submission_to_report_and_plot(whole):
    assert re.search(r"\b[1-4] runs? (is|are) queued", whole.submitted_again)  # some on their way
    report = whole.call("--report")
    assert re.search(r"all .* 4 ", report.replace("│", " "))
    assert re.search(r"\b0\b", whole.call("--slurm"))
    whole.call("--plot", "--perclass")
    assert list(whole.workspace.glob("plots/cluster/per_class.png"))


def test_a_package_is_sent_and_run_as_a_whole(cluster, tmp_path):
    tiny = Grid(tmp_path, cluster, program=("-m", "tiny_grids"))
    (tmp_path / "p.toml").write_text('[p100_3h]\ngpu = "pretend"\nmemory = "2G"\ncpus = 1\n')
    options = ("--profiles", str(tmp_path / "p.toml"))
    assert len(re.findall(r"\bjob \d+", tiny.call("--slurm", *options))) == 2
    again = tiny.call("--slurm", *options)
    assert not re.findall(r"\bjob \d+", again)
    assert re.search(r"\b0 runs\b", again)  # they are on their way, or done already
    shown = tiny.slurm("scontrol", "show", "job", "-o")
    (job,) = (line for line in shown.splitlines() if "JobName=signs" in line)
    assert "TimeLimit=03:00:00" in job
    assert "gpu:pretend:1" in job
    tiny.wait_for("done", *descent.experiments, *signs.experiments)
    tiny.wait("an empty queue", lambda: not tiny.slurm("squeue", *QUEUE))  # tasks end after runs
    assert "None of these runs is queued" in tiny.call("--cancel")


def test_mishaps_change_no_bit(cluster, whole, tmp_path):
    terminated, killed, cut_off, preempted = experiments
    grid = Grid(tmp_path, cluster, slowly=0.5)
    soon = ("--checkpoint-every", "0.5")
    first = grid.submit("--optimizer", "SGD", *soon)
    second = grid.submit("--optimizer", "Adam", *soon)
    grid.wait_for_checkpoint(terminated)
    grid.slurm("scancel", "--batch", "--signal=TERM", f"{first}_0")
    grid.wait_for_checkpoint(killed)
    os.kill(grid.status(killed)["pid"], signal.SIGKILL)
    grid.wait_for("preempted", terminated)
    grid.wait_for("done", terminated, killed)
    log = grid.logs()
    assert "Received SIGTERM" in log
    assert "Process 0 ended with exit code -9" in log
    assert f"{first}_0" in log
    assert f"{second}_0" in log
    # A limit of one minute, and the signal before it, which comes when SLURM looks: every 30 s.
    short = ("--profile", "short", "--profiles", str(short_profile(tmp_path)))
    slow = Grid(tmp_path, cluster, slowly=0.8)
    slow.submit("--optimizer", "NormalizedGD", *short, *soon)
    grid.wait_for("done", cut_off)
    third = grid.submit("--optimizer", "SignDescent", *soon)
    grid.wait_for_checkpoint(preempted)
    urgent = ("-p", "high", "-c", str(os.cpu_count()), "--output=/dev/null", "--wrap", "true")
    grid.slurm("sbatch", *urgent)
    grid.wait("preemption", lambda: f"{third}_0" in requeued(grid))
    grid.wait_for("done", preempted)
    assert "Received SIGUSR1" in grid.logs()
    for experiment in experiments:
        found, wanted = (load_results(experiment, g.workspace) for g in (grid, whole))
        assert_same_rows(found, wanted)
        assert found.status == "done"


def short_profile(folder):
    path = folder / "profiles.toml"
    path.write_text('[short]\ntime = "1"\nmemory = "2G"\ncpus = 1\ngpus = 0\ngrace = 50\n')
    return path


def requeued(grid):
    shown = grid.slurm("scontrol", "show", "job", "-o")
    found = re.findall(r"ArrayJobId=(\d+) ArrayTaskId=(\d+).*? Restarts=[1-9]", shown)
    return [f"{job}_{task}" for job, task in found]


def test_cancelled_tasks_stay_so_and_go_on_when_sent_again(cluster, whole, tmp_path):
    grid = Grid(tmp_path, cluster, slowly=0.5)
    grid.submit("--single", "0", "--checkpoint-every", "0.5")
    grid.wait_for_checkpoint(experiments[0])
    assert "Cancelled 1 tasks" in grid.call("--cancel")
    grid.wait_for("preempted", experiments[0])
    grid.wait("the end of the task", lambda: not grid.slurm("squeue", "-h"))
    assert "was cancelled" in grid.logs()
    grid.submit("--single", "0")
    grid.wait_for("done", experiments[0])
    assert_same_rows(*(load_results(experiments[0], g.workspace) for g in (grid, whole)))


def test_a_task_that_fails_says_why(cluster, tmp_path):
    grid = Grid(tmp_path, cluster)
    grid.submit("--single", "0", "--devices-per-run", "3")
    grid.wait("the end of the task", lambda: not grid.slurm("squeue", "-h"))
    report = grid.call("--report")
    assert "FAILED" in report
    assert is_told("devices-not-shareable", report, per_run=3)


def test_two_processes_share_a_pack_and_a_run(cluster, whole, tmp_path):
    grid = Grid(tmp_path, cluster, slowly=0.2)
    (tmp_path / "two.toml").write_text(
        '[two]\ntime = "30"\nmemory = "4G"\ngpus = 0\nprocesses = 2\ndevices_per_run = 2\n'
    )
    two = ("--profile", "two", "--profiles", str(tmp_path / "two.toml"))
    job = grid.submit("--single", "0", *two, "--checkpoint-every", "0.5")
    grid.wait_for_checkpoint(experiments[0])
    grid.slurm("scancel", "--batch", "--signal=TERM", f"{job}_0")
    grid.wait_for("preempted", experiments[0])
    grid.wait_for("done", experiments[0])
    found, wanted = (load_results(experiments[0], g.workspace) for g in (grid, whole))
    assert list(found.table["step"]) == list(wanted.table["step"])
    loss = "tr_CrossEntropyLoss"
    np.testing.assert_allclose(found.table[loss], wanted.table[loss], rtol=1e-5)
