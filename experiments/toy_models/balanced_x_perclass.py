"""Softmax regression, m = 11, GD and Adam at the best learning rates, with losses by class.

Parameters are kept at steps 0, 1, 5, 10, 50 and 100, for the gradients and Hessians by class.

Figure: 4, 7, 9, 22, 26, 27, 32, 33
Command: python -m experiments.toy_models.balanced_x_perclass --local
Time: 1,000 steps took the paper at most 4 hours on a GPU.
Expected: GD fits classes in the order of their frequency and is left with the rare ones; Adam fits
the rare ones as soon as the others.
"""

from experiments.small import small
from experiments.toy_models import balanced_x
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {"SGD": "-5/2", "SGD + momentum": -3, "Adam": -4, "Adam + momentum": "-7/2"}

experiments = at_best(
    balanced_x.experiments,
    exponents,
    group="LogReg_BalancedXImbalancedY_PerClass",
    per_class=True,
    keep_steps=(0, 1, 5, 10, 50, 100),
)
resources = "p100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
