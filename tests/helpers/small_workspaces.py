"""Workspaces of runs that nobody trained, with a few made-up rows each."""

import contextlib
import subprocess
import sys

import numpy as np

from optexp_jax import Experiment, Problem
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.results.store import RunFolder

DATASET = RandomHeavyTailedLabels(size=3, seed=0)
PROBLEM = Problem(Linear(DATASET.num_inputs, DATASET.num_classes), DATASET, CrossEntropy())
COUNTS = np.array([8, 4, 4, 2, 2, 2, 2])
LOSS = "tr_CrossEntropyLoss"

_HOLDER = """
import fcntl, os, sys, time
os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
handle = open(sys.argv[1], "a")
fcntl.flock(handle, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


def run(exponent=-1, kind=SGD, group="a", **fields):
    """An experiment of four steps."""
    rate = LearningRate(exponent)
    fields = {"steps": 4, "per_class": True} | fields
    return Experiment(PROBLEM, kind(rate), group=group, **fields)


def record(workspace, experiment, how="done", scale=1.0, last=4, **entries):
    """Made-up rows of a run that ended, or got to a step; its folder."""
    steps = np.arange(last + 1)
    by_class = scale * np.outer(1.0 / (1 + steps), np.arange(1, len(COUNTS) + 1))
    loss = by_class @ COUNTS / COUNTS.sum()
    if how == "diverged":
        loss[-1], by_class[-1] = np.inf, np.nan
    folder = RunFolder(workspace, experiment)
    folder.begin({"train": COUNTS, "tr": COUNTS}, total_steps=4, **entries)
    arrays = {f"{LOSS}PerClass": by_class.astype(np.float32)} if experiment.per_class else {}
    table = {"step": steps, "epoch": steps / 2, LOSS: loss, "tr_Accuracy": loss / 9}
    folder.append(table, arrays, steps if arrays else steps[:0])
    for step in experiment.keep_steps:
        folder.keep_parameters(step, {"w": np.full(3, scale)})
    if how in ("done", "diverged"):
        folder.finish(how, last)
    else:
        folder.write_status(status=how, step=last)
    return folder


@contextlib.contextmanager
def held(folder):
    """Another process holds the lock of a run in the block."""
    command = [sys.executable, "-c", _HOLDER, str(folder.path / ".lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            process.kill()


def content(folder):
    """Every file below a folder, by its path, without locks."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }
