"""Softmax regression, m = 11, for 10,000 steps on a fine and wide grid of learning rates.

Figure: none
Command: python -m experiments.toy_models.balanced_x_largescale --local
Time: 10,000 steps took the paper at most 12 hours on a GPU; there are 492 runs.
Expected: GD needs 10,000 steps for what Adam does in hundreds.
"""

from experiments.small import small
from experiments.toy_models.balanced_x import problem
from optexp_jax import lr_grid
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.optim import SGD, Adam

rates = lr_grid(-5, 5, density=2)
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
    group="LogReg_BalancedXImbalancedY_largescale",
    epochs=10_000,
)
resources = "p100_12h"

if __name__ == "__main__":
    main(experiments, resources, small)
