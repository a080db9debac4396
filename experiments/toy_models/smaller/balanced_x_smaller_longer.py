"""Softmax regression, m = 7, for 10,000 steps over nine decades of learning rates.

896 inputs of length 1,024; 127 classes.

Figure: none
Command: python -m experiments.toy_models.smaller.balanced_x_smaller_longer --local
Time: half a minute for each run on two cores; there are 120.
Expected: with enough steps every method fits every class; large steps of GD oscillate first.
"""

from experiments.small import small
from experiments.toy_models import balanced_x
from optexp_jax import Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam

dataset = RandomHeavyTailedLabels(size=7)
model = Linear(dataset.num_inputs, dataset.num_classes)
problem = Problem(model, dataset, balanced_x.problem.loss)

rates = lr_grid(-6, 3)
optimizers = [
    *over_rates(SGD, rates),
    *over_rates(SGD, rates, momentum=0.9),
    *over_rates(Adam, rates, beta1=0.0),
    *over_rates(Adam, rates),
]

experiments = experiments_over(
    optimizers,
    problem,
    seeds=(0, 1, 2),
    group="LogReg_BalancedXImbalancedY_smaller_longer",
    epochs=10_000,
)
resources = "p100_12h"
seconds = 30  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
