"""A CNN on barcoded MNIST alone: 10,240 classes of 5 images, so none is rarer than another.

Figure: 18b (learning rates)
Command: python -m experiments.vision.barcoded.mnist_barcoded_only --local
Time: 300 steps took the paper at most 4 hours on a V100.
Expected: many classes are no problem for GD where none is frequent: GD and Adam both reach 0.
"""

import dataclasses

from experiments.small import small
from experiments.vision.barcoded import mnist_and_barcoded
from optexp_jax import Problem
from optexp_jax.cli import main
from optexp_jax.grid import coarse_to_fine, experiments_of
from optexp_jax.models import CNN
from optexp_jax.optim import SGD, Adam

dataset = dataclasses.replace(mnist_and_barcoded.dataset, joined=False)
problem = Problem(CNN(dataset.num_classes), dataset, mnist_and_barcoded.problem.loss)

three = {"coarse_seeds": (0, 1, 2)}

runs = [
    *coarse_to_fine(SGD, (-5, 2), (-1, 2), **three),
    *coarse_to_fine(SGD, (-5, 2), (-2, 2), **three, momentum=0.9),
    *coarse_to_fine(Adam, (-5, 0), (-3, -1), **three, beta1=0.0),
    *coarse_to_fine(Adam, (-5, 0), (-3, -1), **three),
]

experiments = experiments_of(
    runs, problem, group="SimpleCNN_MNISTBarcodedOnly_FB_normalized", epochs=300
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
