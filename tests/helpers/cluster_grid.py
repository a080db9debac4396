"""A grid of the user's own, as a script: what the tests send to a cluster.

With SLOWLY it waits so many seconds after every few steps, so that there is time for mishaps.
"""

import os
import time

from optexp_jax import Experiment, LearningRate, Problem
from optexp_jax.cli import main
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, NormalizedGD, SignDescent
from optexp_jax.runner import local
from optexp_jax.runner.pack_run import PackRun
from optexp_jax.training import program

STEPS = 240

dataset = RandomHeavyTailedLabels(7, seed=0)
problem = Problem(Linear(dataset.num_inputs, dataset.num_classes), dataset, CrossEntropy())
optimizers = [
    SGD(LearningRate(-3), momentum=0.9),
    Adam(LearningRate(-2)),
    NormalizedGD(LearningRate(-1), momentum=0.9),
    SignDescent(LearningRate(-3)),
]
experiments = [
    Experiment(problem, o, group="cluster", steps=STEPS, eval_every=4, per_class=True)
    for o in optimizers
]


class SlowPackRun(PackRun):
    """Waits after every chunk."""

    def _store(self, chunk):
        super()._store(chunk)
        time.sleep(float(os.environ.get("SLOWLY", "0")))


if __name__ == "__main__":
    program._MOST_ROWS = 8  # steps of a chunk
    local.PackRun = SlowPackRun
    main(experiments, slurm="two_cores")
