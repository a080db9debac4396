"""Softmax regression, m = 7, on inputs N(0, 1) with a column of ones.

Figure: none
Command: python -m experiments.toy_models.smaller.builtin_bias --local
Time: 3 seconds for each run on two cores.
Expected: a common direction of one column only: GD fits all groups nearly alike.
"""

import dataclasses

from experiments.small import small
from experiments.toy_models.smaller import balanced_x_smaller_longer
from experiments.toy_models.smaller.changing_input import zero_mean
from optexp_jax import Problem
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over
from optexp_jax.models import Linear

dataset = dataclasses.replace(zero_mean.dataset, bias_column=True)
model = Linear(dataset.num_inputs, dataset.num_classes)
problem = Problem(model, dataset, zero_mean.problem.loss)

experiments = experiments_over(
    balanced_x_smaller_longer.optimizers,
    problem,
    group="LogReg_BalancedXImbalancedY_smaller_longer_withbias",
    epochs=1000,
)
resources = "p100_12h"
seconds = 3  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
