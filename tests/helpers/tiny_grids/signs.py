"""Sign descent on the problem of `descent`."""

from optexp_jax import Experiment, LearningRate
from optexp_jax.cli import main
from optexp_jax.optim import SignDescent
from tiny_grids.descent import problem

experiments = [Experiment(problem, SignDescent(LearningRate(-1)), group="signs", steps=3)]
resources = "p100_3h"

if __name__ == "__main__":
    main(experiments, resources)
