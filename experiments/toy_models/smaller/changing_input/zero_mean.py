"""Softmax regression, m = 7, on inputs N(0, 1): nearly orthogonal ones.

Figure: 19b
Command: python -m experiments.toy_models.smaller.changing_input.zero_mean --local
Time: half a minute for each run on two cores.
Expected: within 25 steps GD fits all groups alike, as Adam does.
"""

from experiments.small import small
from experiments.toy_models import balanced_x
from optexp_jax import Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.datasets import Gaussian, RandomHeavyTailedLabels
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam

dataset = RandomHeavyTailedLabels(size=7, inputs=Gaussian(mean=0.0))
model = Linear(dataset.num_inputs, dataset.num_classes)
problem = Problem(model, dataset, balanced_x.problem.loss)

optimizers = [
    *over_rates(SGD, lr_grid(-4, 3, density=1)),
    *over_rates(Adam, lr_grid(-6, 1, density=1), beta1=0.0),
]

experiments = experiments_over(
    optimizers,
    problem,
    group="LogReg_BalancedXImbalancedY_changing_inputs_zero_mean",
    epochs=10_000,
    per_class=True,
)
resources = "p100_12h"
seconds = 30  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
