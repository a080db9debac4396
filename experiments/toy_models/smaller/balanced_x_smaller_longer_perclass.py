"""Softmax regression, m = 7, for 10,000 steps, GD and Adam without momentum, with losses by class.

Figure: 20a
Command: python -m experiments.toy_models.smaller.balanced_x_smaller_longer_perclass --local
Time: half a minute for each run on two cores.
Expected: GD fits all classes in the end, but the rarest fall below their start only after about
1,000 steps.
"""

from experiments.small import small
from experiments.toy_models.smaller.balanced_x_smaller_longer import problem
from optexp_jax import lr_grid
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.optim import SGD, Adam

optimizers = [
    *over_rates(SGD, lr_grid(-4, 0, density=1)),
    *over_rates(Adam, lr_grid(-6, -2, density=1), beta1=0.0),
]

experiments = experiments_over(
    optimizers,
    problem,
    group="LogReg_BalancedXImbalancedY_smaller_longer_perclass",
    epochs=10_000,
    per_class=True,
)
resources = "p100_12h"
seconds = 30  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
