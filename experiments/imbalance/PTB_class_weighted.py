"""The transformer on the Penn Treebank, classes weighted by 1/√π: the search of learning rates.

Figure: 25 (learning rates)
Command: python -m experiments.imbalance.PTB_class_weighted --local
Time: 100 epochs took the paper at most 6 hours on a P100.
Expected: SGD on the weighted loss lowers the unweighted one further than SGD on the unweighted.
"""

import dataclasses

from experiments.imbalance import PTB
from experiments.small import small
from optexp_jax.cli import main
from optexp_jax.grid import coarse_to_fine, experiments_of
from optexp_jax.losses import CrossEntropy, Weighted
from optexp_jax.optim import SGD, Adam

problem = dataclasses.replace(PTB.problem, loss=Weighted(CrossEntropy(), power=0.5))

runs = [
    *coarse_to_fine(SGD, (-3, 1), (-1, 1)),
    *coarse_to_fine(SGD, (-3, 0), (-2, 0), momentum=0.9),
    *coarse_to_fine(Adam, (-5, -2), (-5, -3), beta1=0.0),
    *coarse_to_fine(Adam, (-5, -2), (-5, -3)),
]

experiments = experiments_of(
    runs, problem, group="TEnc_standard_training_class_weighted_PTB", epochs=100
)
resources = "p100_6h"

if __name__ == "__main__":
    main(experiments, resources, small)
