"""The transformer on the Penn Treebank, weights 1/π: learning rates, with losses by class.

Shown in figure 25; the paper's code names it in a comment only. The grid is that of the weights
1/√π, with momentum, and one seed.

Figure: 25
Command: python -m experiments.imbalance.PTB_class_weighted_inverse --local
Time: 100 epochs took the paper at most 6 hours on a P100.
Expected: the weights 1/π can end above plain SGD on text, unlike 1/√π.
"""

import dataclasses

from experiments.imbalance import PTB
from experiments.small import small
from optexp_jax import lr_grid
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.losses import CrossEntropy, Weighted
from optexp_jax.optim import SGD, Adam

problem = dataclasses.replace(PTB.problem, loss=Weighted(CrossEntropy()))

optimizers = [
    *over_rates(SGD, lr_grid(-2, 0, density=1), momentum=0.9),
    *over_rates(Adam, lr_grid(-5, -3, density=1)),
]

experiments = experiments_over(
    optimizers,
    problem,
    group="TEnc_standard_training_class_weighted_inverse_PTB_per_class",
    epochs=100,
    per_class=True,
)
resources = "p100_6h"

if __name__ == "__main__":
    main(experiments, resources, small)
