"""A grid of the user's own, as a script: what the tests send to a cluster."""

from optexp_jax import Experiment, LearningRate, Problem
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.launch.cli import main
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, NormalizedGD, SignDescent

STEPS = 600

dataset = RandomHeavyTailedLabels(7, seed=0)
problem = Problem(Linear(dataset.num_inputs, dataset.num_classes), dataset, CrossEntropy())
optimizers = [
    SGD(LearningRate(1), momentum=0.9),
    Adam(LearningRate(-2)),
    NormalizedGD(LearningRate(-1), momentum=0.9),
    SignDescent(LearningRate(-3)),
]
experiments = [
    Experiment(problem, o, group="cluster", steps=STEPS, eval_every=10, per_class=True)
    for o in optimizers
]

if __name__ == "__main__":
    main(experiments, slurm="two_cores")
