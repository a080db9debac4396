"""A group whose runs nobody trained, with all that a page has to show: good, bad and odd ones."""

import numpy as np
from fabricated import fabricate

from optexp_jax import Experiment, LearningRate, Problem
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear, Zeros
from optexp_jax.optim import SGD, Adam
from optexp_jax.results.store import RunFolder

DATASET = HeavyTailedOneHot(start_examples=4, base=2)
PROBLEM = Problem(Linear(7, 7, use_bias=False, init_values=Zeros()), DATASET, SquaredLoss())
METRIC = "tr_SquaredLoss"
GROUP = "paged"
REASON = 'the disk </script><script>alert("full")</script> & more'


def experiment(optimizer, **fields):
    """A run of the group."""
    return Experiment(
        PROBLEM, optimizer, **({"group": GROUP, "steps": 40, "per_class": True} | fields)
    )


GOOD = [
    experiment(kind(LearningRate(e)), seed=s)
    for kind in (SGD, Adam)
    for e in (-2, -1)
    for s in (0, 1)
]
DIVERGED = experiment(SGD(LearningRate(1)))
UNSTABLE = experiment(SGD(LearningRate(0)))
FAILED = experiment(Adam(LearningRate(0)))


def record(workspace, run, losses, how):
    """Rows of these losses."""
    folder = RunFolder(workspace, run)
    counts = DATASET.class_counts(workspace)
    folder.begin({"train": counts, "tr": counts, "va": counts})
    steps = np.arange(len(losses))
    by_class = np.repeat(np.asarray(losses, np.float32)[:, None], len(counts), axis=1)
    table = {"step": steps, "epoch": steps, METRIC: np.asarray(losses, float)}
    folder.append(table, {f"{METRIC}PerClass": by_class}, steps)
    folder.finish(how, int(steps[-1]))


def fill(workspace):
    """The whole group."""
    for run in GOOD:
        fabricate(workspace, run)
    record(workspace, DIVERGED, [2.0, 5.0, np.inf], "diverged")
    record(workspace, UNSTABLE, [2.0, 50.0, *[1.9] * 39], "done")
    failed = RunFolder(workspace, FAILED)
    failed.begin({"train": DATASET.class_counts(workspace)})
    failed.fail(REASON)
