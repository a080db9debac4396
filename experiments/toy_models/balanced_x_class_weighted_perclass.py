"""Softmax regression, m = 11, weights 1/π, at the best learning rates, with losses by class.

Figure: 25
Command: python -m experiments.toy_models.balanced_x_class_weighted_perclass --local
Time: 500 steps took the paper at most 4 hours on a GPU.
Expected: with all classes of equal weight GD leaves none behind.
"""

from experiments.small import small
from experiments.toy_models import balanced_x_class_weighted
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {"SGD": "-1/2", "SGD + momentum": 0, "Adam": -4, "Adam + momentum": -4}

experiments = at_best(
    balanced_x_class_weighted.experiments,
    exponents,
    group="LogReg_ClassWeighted_BalancedXImbalancedY_PerClass",
    epochs=500,
    per_class=True,
)
resources = "p100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
