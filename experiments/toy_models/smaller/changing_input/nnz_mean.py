"""Softmax regression, m = 7, on inputs N(1, 1): all of them share a direction.

Figure: 19a
Command: python -m experiments.toy_models.smaller.changing_input.nnz_mean --local
Time: half a minute for each run on two cores.
Expected: within 25 steps GD separates the groups by frequency, the rarest above their start; Adam
fits them.
"""

import dataclasses

from experiments.small import small
from experiments.toy_models.smaller.changing_input import zero_mean
from optexp_jax.cli import main
from optexp_jax.datasets import Gaussian
from optexp_jax.grid import replace_all, replace_in_problem

dataset = dataclasses.replace(zero_mean.dataset, inputs=Gaussian(mean=1.0))

experiments = replace_all(
    replace_in_problem(zero_mean.experiments, dataset=dataset),
    group="LogReg_BalancedXImbalancedY_changing_inputs_nnz_mean",
)
resources = "p100_12h"
seconds = 30  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
