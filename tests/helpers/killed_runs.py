"""A pack that is run by processes that are killed; imported by those processes too."""

import os

from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.config import Settings
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, LearningRate
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
