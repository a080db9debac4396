"""Softmax regression, m = 11, classes weighted by 1/√π: the search of learning rates.

Figure: 25 (learning rates)
Command: python -m experiments.toy_models.balanced_x_class_weighted_sqrt --local
Time: 1,000 steps took the paper at most 3 hours on a GPU.
Expected: reweighted GD lowers the unweighted loss further than GD.
"""

import dataclasses

from experiments.small import small
from experiments.toy_models import balanced_x
from optexp_jax.cli import main
from optexp_jax.grid import coarse_to_fine, experiments_of
from optexp_jax.losses import CrossEntropy, Weighted
from optexp_jax.optim import SGD, Adam

problem = dataclasses.replace(balanced_x.problem, loss=Weighted(CrossEntropy(), power=0.5))

runs = [
    *coarse_to_fine(SGD, (-6, 1), (-2, 1)),
    *coarse_to_fine(SGD, (-6, 0), (-3, 0), momentum=0.9),
    *coarse_to_fine(Adam, (-6, 0), (-5, -3), beta1=0.0),
    *coarse_to_fine(Adam, (-6, 0), (-5, -3)),
]

experiments = experiments_of(
    runs, problem, group="LogReg_ClassWeighted_BalancedXImbalancedY_sqrt", epochs=1000
)
resources = "p100_3h"

if __name__ == "__main__":
    main(experiments, resources, small)
