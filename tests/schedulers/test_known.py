"""A scheduler of one file: found, asked and used by every command."""

import json
import re
from pathlib import Path

import pytest
from small_problems import one_hot_problem

from optexp_jax import Experiment, load_results, schedulers
from optexp_jax.cli import main
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.schedulers.known import all_schedulers

EXPERIMENTS = [
    Experiment(one_hot_problem(), SGD(LearningRate(e)), group="one_file", steps=3) for e in (-1, 0)
]
LATER = """
import os
from optexp_jax.schedulers.base import Task, TaskState

class Later:
    name = "later"
    sent, cancelled = {}, []

    def script(self, manifest, resources, folder, environment):
        return f"{len(manifest.tasks)} tasks of {resources.time}"

    def submit(self, script):
        self.sent["7"] = script.parent.name
        return "7"

    def max_tasks(self):
        return None

    def states(self, jobs=()):
        return {Task(job, 0, name): TaskState("waiting", "ASLEEP") for job, name in
                self.sent.items() if job not in self.cancelled}

    def cancel(self, tasks):
        self.cancelled += [task.job for task in tasks]

    def requeue(self, task):
        pass

    def task_index(self):
        return int(os.environ["LATER_TASK"])

    def join_processes(self):
        pass

SCHEDULER = Later()
"""


@pytest.fixture
def later(tmp_path, monkeypatch):
    """The scheduler, in a package beside `slurm`."""
    package = tmp_path / "beside" / "later"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(LATER)
    monkeypatch.setattr(schedulers, "__path__", [*schedulers.__path__, str(package.parent)])
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "ws"))
    all_schedulers.cache_clear()
    yield tmp_path / "ws"
    all_schedulers.cache_clear()


def call(capsys, *argv):
    with pytest.raises(SystemExit) as ended:
        main(EXPERIMENTS, resources="two_cores", argv=list(argv))
    return ended.value.code, re.sub(r"\s+", " ", "".join(capsys.readouterr()))


def test_it_is_sent_to_watched_and_cancelled(later, capsys):
    code, said = call(capsys, "--later")
    assert code == 0
    assert re.search(r"\b7\b.*\b1\b.*\b2\b", said)  # job, tasks, runs
    (folder,) = (later / "later").iterdir()
    assert (folder / "job.sh").read_text().startswith("1 tasks of ")
    assert json.loads((folder / "manifest.json").read_text())["scheduler"] == "later"
    assert re.search(r"\b2\b", call(capsys, "--later")[1])  # are on their way
    assert "queued" in call(capsys, "--report")[1]
    assert "7_0" in call(capsys, "--cancel")[1]
    assert "7_0" not in call(capsys, "--cancel")[1]


def test_a_task_of_it_runs_its_pack(later, capsys, monkeypatch):
    call(capsys, "--later")
    (manifest,) = (later / "later").glob("*/manifest.json")
    monkeypatch.setenv("LATER_TASK", "0")
    assert call(capsys, "--task", str(Path(manifest)))[0] == 0
    assert [load_results(e, later).status for e in EXPERIMENTS] == ["done", "done"]


def test_slurm_goes_on_being_the_one_that_is_here():
    assert list(all_schedulers()) == ["slurm"]
