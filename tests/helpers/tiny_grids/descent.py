"""Gradient descent on seven classes."""

from optexp_jax import Experiment, LearningRate, Problem
from optexp_jax.cli import main
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear, Zeros
from optexp_jax.optim import SGD

dataset = HeavyTailedOneHot(start_examples=4, base=2)
model = Linear(dataset.num_inputs, dataset.num_classes, use_bias=False, init_values=Zeros())
problem = Problem(model, dataset, SquaredLoss())
optimizers = [SGD(LearningRate(0)), SGD(LearningRate(-1))]

experiments = [Experiment(problem, o, group="descent", steps=3) for o in optimizers]
resources = "two_cores"

if __name__ == "__main__":
    main(experiments, resources)
