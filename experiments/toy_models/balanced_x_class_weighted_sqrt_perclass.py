"""Softmax regression, m = 11, weights 1/√π, at the best learning rates, with losses by class.

Figure: 25
Command: python -m experiments.toy_models.balanced_x_class_weighted_sqrt_perclass --local
Time: 500 steps took the paper at most 3 hours on a GPU.
Expected: reweighted GD lowers the rare classes that GD leaves.
"""

from experiments.small import small
from experiments.toy_models import balanced_x_class_weighted_sqrt
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {"SGD": "-3/2", "SGD + momentum": -2, "Adam": "-9/2", "Adam + momentum": -4}

experiments = at_best(
    balanced_x_class_weighted_sqrt.experiments,
    exponents,
    group="LogReg_ClassWeighted_BalancedXImbalancedY_sqrt_perclass",
    epochs=500,
    per_class=True,
)
resources = "p100_3h"

if __name__ == "__main__":
    main(experiments, resources, small)
