"""Softmax regression, m = 7, on inputs N(mean, std²), between the two of figure 19.

One group for each pair of mean and standard deviation.

Figure: none; what lies between 19a and 19b
Command: python -m experiments.toy_models.smaller.changing_input.interpolating_dataset --local
Time: 2 seconds for each run on two cores; there are 300.
Expected: the nearer the mean is to zero, the less GD separates the groups by frequency.
"""

import dataclasses

from experiments.small import small
from experiments.toy_models.smaller.changing_input import zero_mean
from optexp_jax.cli import main
from optexp_jax.datasets import Gaussian
from optexp_jax.grid import replace_all, replace_in_problem

pairs = [
    *((mean, 1.0) for mean in (1.0, 0.75, 0.5, 0.25, 0.1, 0.0)),
    *((0.0, std) for std in (0.75, 0.5, 0.25, 0.1)),
]

experiments = [
    experiment
    for mean, std in pairs
    for experiment in replace_all(
        replace_in_problem(
            zero_mean.experiments,
            dataset=dataclasses.replace(zero_mean.dataset, inputs=Gaussian(mean, std)),
        ),
        group=f"LogReg_BalancedXImbalancedY_interp_inputs_mean={mean}_std={std}",
        epochs=500,
    )
]
resources = "p100_12h"
seconds = 2  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
