"""Softmax regression, m = 11, with normalised and sign descent, with losses by class.

They share a group with GD and Adam of `balanced_x_perclass`.

Figure: 22
Command: python -m experiments.toy_models.balanced_x_perclass_alt_opt --local
Time: 1,000 steps took the paper at most 4 hours on a GPU.
Expected: sign descent behaves as Adam; normalising helps GD, but less.
"""

from experiments.small import small
from experiments.toy_models import balanced_x
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {
    "NormalizedGD": -1,
    "NormalizedGD + momentum": "-3/2",
    "SignDescent": -5,
    "SignDescent + momentum": -5,
    "ScaledSignDescent": -8,
    "ScaledSignDescent + momentum": -8,
}

experiments = at_best(
    balanced_x.experiments, exponents, group="LogReg_BalancedXImbalancedY_PerClass", per_class=True
)
resources = "p100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
