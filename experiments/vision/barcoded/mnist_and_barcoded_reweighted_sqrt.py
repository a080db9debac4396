"""The CNN on MNIST and barcoded MNIST, classes weighted by 1/√π: the search of learning rates.

Figure: 25
Command: python -m experiments.vision.barcoded.mnist_and_barcoded_reweighted_sqrt --local
Time: 500 steps took the paper at most 4 hours on a V100.
Expected: reweighted GD lowers the unweighted loss further than GD.
"""

import dataclasses

from experiments.small import small
from experiments.vision.barcoded import mnist_and_barcoded
from optexp_jax import lr_grid
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.losses import CrossEntropy, Weighted
from optexp_jax.optim import SGD, Adam

loss = Weighted(CrossEntropy(), power=0.5)
problem = dataclasses.replace(mnist_and_barcoded.problem, loss=loss)

rates = lr_grid(-7, 2)
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
    group="SimpleCNN_MNISTBarcoded_FB_normalized_v2_reweighted_sqrt",
    epochs=500,
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
