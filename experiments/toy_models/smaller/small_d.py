"""Softmax regression, m = 7, on inputs N(0, 1) of length 400: fewer than there are examples.

Figure: none
Command: python -m experiments.toy_models.smaller.small_d --local
Time: 2 seconds for each run on two cores.
Expected: no linear model fits all examples any more, whatever the optimizer.
"""

import dataclasses

from experiments.small import small
from experiments.toy_models.smaller import balanced_x_smaller_longer
from experiments.toy_models.smaller.changing_input import zero_mean
from optexp_jax import Problem
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over
from optexp_jax.models import Linear

dataset = dataclasses.replace(zero_mean.dataset, dim=400)
model = Linear(dataset.num_inputs, dataset.num_classes)
problem = Problem(model, dataset, zero_mean.problem.loss)

experiments = experiments_over(
    balanced_x_smaller_longer.optimizers,
    problem,
    seeds=(0, 1, 2),
    group="LogReg_BalancedXImbalancedY_smaller_longer_smalld",
    epochs=1000,
)
resources = "p100_12h"
seconds = 2  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
