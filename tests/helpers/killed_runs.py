"""A pack that is run by processes that are killed; imported by those processes too."""

import os

import numpy as np

from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.config import Settings
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.results.load import load_results
from optexp_jax.runner.local import run_local
from optexp_jax.runner.options import RunOptions
from optexp_jax.training import program

DATASET = RandomHeavyTailedLabels(size=3, seed=0)
# Each process is a fork of one that has imported these, which takes longer than all else it does.
IMPORTED = ["optexp_jax.runner.local", "optexp_jax.models", "orbax.checkpoint"]


def pack_of_three(steps):
    """Three learning rates of SGD with momentum on mini-batches; the last batch is partial."""
    model = Linear(DATASET.num_inputs, DATASET.num_classes)
    problem = Problem(model, DATASET, CrossEntropy(), MiniBatch(7))
    optimizers = [SGD(LearningRate(exponent), momentum=0.9) for exponent in (-3, -2, -1)]
    return [Experiment(problem, o, "resume", steps=steps, per_class=True) for o in optimizers]


def work(workspace, steps):
    """What the processes do: short chunks on one device, a checkpoint after each."""
    os.environ["XLA_FLAGS"] = ""
    program._MOST_ROWS = 8
    settings = Settings(workspace, wandb_enabled=False)
    outcome = run_local(pack_of_three(steps), settings, RunOptions(checkpoint_seconds=0))
    assert not outcome.failed
    assert not outcome.busy


def assert_same_results(experiments, a, b):
    """Whether two workspaces have the same rows of experiments, bit for bit."""
    for one in experiments:
        first, second = load_results(one, a), load_results(one, b)
        assert first.status == second.status == "done"
        assert list(first.table) == list(second.table)
        for name in first.table:
            x, y = first.table[name].to_numpy(), second.table[name].to_numpy()
            assert np.array_equal(x, y, equal_nan=True), name
        assert list(first.per_class) == list(second.per_class)
        for name, array in first.per_class.items():
            assert np.array_equal(array, second.per_class[name], equal_nan=True), name
        np.testing.assert_array_equal(first.per_class_steps, second.per_class_steps)
        assert first.table["step"].tolist() == list(range(one.steps + 1))


def packs(workspace):
    """The folder of the checkpoints of packs."""
    return workspace / "experiments" / "resume" / "packs"
