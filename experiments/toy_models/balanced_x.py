"""Softmax regression on Random Heavy-Tailed Labels, m = 11, in full batches: learning rates.

22,528 random inputs of length 24,576; 2,047 classes in 11 groups of equally many examples, from 1
class of 2,048 to 1,024 classes of 2. Inputs know nothing of the labels: they are memorised.

Figure: 4, 22 (learning rates)
Command: python -m experiments.toy_models.balanced_x --local
Memory: 4.4 GB and 0.6 GB for each run of a pack, with Adam.
Time: 1,000 steps took the paper at most 12 hours on a GPU.
Expected: at their best learning rates GD ends above Adam and sign descent.
"""

from experiments.small import small
from optexp_jax import Problem
from optexp_jax.cli import main
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.grid import coarse_to_fine, experiments_of
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import (
    SGD,
    Adagrad,
    Adam,
    LineSearchGD,
    NormalizedGD,
    ScaledSignDescent,
    SignDescent,
)

dataset = RandomHeavyTailedLabels(size=11)
problem = Problem(Linear(dataset.num_inputs, dataset.num_classes), dataset, CrossEntropy())

runs = [
    *coarse_to_fine(SGD, (-6, 0), (-3, -1)),
    *coarse_to_fine(SGD, (-6, 0), (-3, -1), momentum=0.9),
    *coarse_to_fine(Adam, (-6, 0), (-5, -3), beta1=0.0),
    *coarse_to_fine(Adam, (-6, 0), (-5, -3)),
    *coarse_to_fine(SignDescent, (-6, 0), (-6, -4)),
    *coarse_to_fine(SignDescent, (-6, 0), (-6, -4), momentum=0.9),
    *coarse_to_fine(NormalizedGD, (-6, 0), (-3, -1)),
    *coarse_to_fine(NormalizedGD, (-6, 0), (-3, -1), momentum=0.9),
    *coarse_to_fine(ScaledSignDescent, (-9, -6), (-9, -7)),
    *coarse_to_fine(ScaledSignDescent, (-10, -7), (-9, -7), momentum=0.9),
    *coarse_to_fine(Adagrad, None, (-5, -2)),
    *((LineSearchGD(), seed) for seed in range(3)),
]

experiments = experiments_of(runs, problem, group="LogReg_BalancedXImbalancedY", epochs=1000)
resources = "p100_12h"

if __name__ == "__main__":
    main(experiments, resources, small)
