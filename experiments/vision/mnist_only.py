"""A CNN on MNIST in full batches: ten classes of nearly equal size, learning rates.

Pixels are scaled as the paper's code does it, to values up to 827.

Figure: 2a, 18a
Command: python -m experiments.vision.mnist_only --local
Time: 300 steps took the paper at most 4 hours on a V100.
Expected: without rare classes GD and Adam both reach a loss near 0, from 2.3 at the start or above.
"""

from experiments.small import small
from optexp_jax import Problem
from optexp_jax.cli import main
from optexp_jax.datasets import MNIST
from optexp_jax.grid import coarse_to_fine, experiments_of
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import CNN
from optexp_jax.optim import SGD, Adam, NormalizedGD, SignDescent

dataset = MNIST()
problem = Problem(CNN(dataset.num_classes), dataset, CrossEntropy())

runs = [
    *coarse_to_fine(SGD, (-6, 1), (-4, -2)),
    *coarse_to_fine(SGD, (-6, 1), momentum=0.9),
    *coarse_to_fine(Adam, (-6, 1), (-4, -2), beta1=0.0),
    *coarse_to_fine(Adam, (-6, 1), (-4, -2)),
    *coarse_to_fine(SignDescent, (-6, 1), (-4, -2)),
    *coarse_to_fine(SignDescent, (-6, 1), momentum=0.9),
    *coarse_to_fine(NormalizedGD, (-6, 1), (-3, 0)),
    *coarse_to_fine(NormalizedGD, (-6, 1), (-3, 0), momentum=0.9),
]

experiments = experiments_of(runs, problem, group="SimpleCNN_MNIST_FB_Base", epochs=300)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
