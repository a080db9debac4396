"""Softmax regression, m = 11, with a penalty λ/2 ‖w‖², for several λ, with losses by class.

Shown in figure 21, which draws the loss without the penalty; the paper's code does not have it. One
group for each λ; learning rates are those around the best of `balanced_x`.

Figure: 21
Command: python -m experiments.toy_models.balanced_x_l2 --local
Time: as `balanced_x_perclass` for each run.
Expected: a small penalty leaves the gap between GD and Adam as it is; a large one, which keeps both
from fitting the data, closes it.
"""

import dataclasses

from experiments.small import small
from experiments.toy_models import balanced_x
from optexp_jax import lr_grid
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.optim import SGD, Adam

penalties = (1e-6, 1e-5, 1e-4, 1e-3)

optimizers = [
    *over_rates(SGD, lr_grid(-4, -2, density=1), momentum=0.9),
    *over_rates(Adam, lr_grid(-5, -3, density=1)),
]

experiments = [
    experiment
    for l2 in penalties
    for experiment in experiments_over(
        optimizers,
        dataclasses.replace(balanced_x.problem, l2=l2),
        group=f"LogReg_BalancedXImbalancedY_L2={l2:g}",
        epochs=1000,
        per_class=True,
    )
]
resources = "p100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
