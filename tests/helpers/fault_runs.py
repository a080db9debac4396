"""Small runs whose files tests damage, and what their rows should be."""

import os
import re
import shutil
import signal
from pathlib import Path

import numpy as np
from wording import is_told

from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.config import Settings
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.errors import OptexpError
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.results.load import load_results
from optexp_jax.results.store import RunFolder
from optexp_jax.runner import pack_run
from optexp_jax.runner.local import run_local
from optexp_jax.runner.options import RunOptions
from optexp_jax.training.loop import train_pack

STEPS = 24
DATASET = RandomHeavyTailedLabels(size=3, seed=0)
PROBLEM = Problem(
    Linear(DATASET.num_inputs, DATASET.num_classes), DATASET, CrossEntropy(), MiniBatch(7)
)


def pack(seed=0, steps=STEPS, group="faults", **fields):
    """Two learning rates of SGD with momentum on mini-batches, rows every second step."""
    fields = {"per_class": True, "eval_every": 2} | fields
    return [
        Experiment(PROBLEM, SGD(LearningRate(e), 0.9), group, seed=seed, steps=steps, **fields)
        for e in (-3, -2)
    ]


def run_all(workspace, experiments, **options):
    """Run what is left; the outcome."""
    return run_local(experiments, Settings(workspace, wandb_enabled=False), RunOptions(**options))


def stop_after(chunks, workspace, experiments, monkeypatch, **options):
    """Run until a SIGTERM comes, after some chunks."""

    def signalling(*arguments, **named):
        for number, chunk in enumerate(train_pack(*arguments, **named), 1):
            if number == chunks:
                os.kill(os.getpid(), signal.SIGTERM)
            yield chunk

    with monkeypatch.context() as patch:
        patch.setattr(pack_run, "train_pack", signalling)
        assert run_all(workspace, experiments, **options).stopped == signal.SIGTERM


def folder_of(workspace, experiment):
    """The folder of a run."""
    return RunFolder(Path(workspace), experiment).path


def assert_rows(experiment, workspace, truth, whole=True):
    """The rows are those of a run that nothing happened to: all of them, or the first ones."""
    found, right = load_results(experiment, workspace), load_results(experiment, truth)
    rows, classes = len(found.table), len(found.per_class_steps)
    if whole:
        lengths = len(right.table), len(right.per_class_steps)
        assert (found.status, rows, classes) == (right.status, *lengths)
    if rows:
        assert list(found.table) == list(right.table)
        for name, column in found.table.items():
            assert np.array_equal(column, right.table[name][:rows], equal_nan=True), name
    for name, array in found.per_class.items():
        assert np.array_equal(array, right.per_class[name][:classes], equal_nan=True), name
    for name, counts in found.measured_counts.items():
        assert np.array_equal(counts, right.measured_counts[name]), name


def is_refused(experiment, workspace):
    """The sentence with which the results are refused, None if they are not."""
    try:
        load_results(experiment, workspace)
    except OptexpError as error:
        return str(error)
    return None


def remedied(workspace, sentence):
    """Do what a sentence says: delete the folder that it names."""
    named = re.findall(rf"{re.escape(str(workspace))}/[^\s:;,()]*", sentence)
    # A file is named before its folder, and why a checkpoint cannot be read after that.
    in_order = named if is_told("no-checkpoint-readable", sentence) else named[::-1]
    folder = next(path for path in map(Path, in_order) if path.is_dir())
    shutil.rmtree(folder)
