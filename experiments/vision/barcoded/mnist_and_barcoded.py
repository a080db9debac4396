"""A CNN on MNIST and barcoded MNIST in full batches: the search of learning rates.

50,000 plain digits in 10 classes, and 51,200 images in 10,240 rare classes of 5, told apart by a
barcode of white pixels. A full batch goes through in micro-batches.

Figure: 2 (learning rates)
Command: python -m experiments.vision.barcoded.mnist_and_barcoded --local
Memory: 17.9 GB and 0.6 GB for each run of a pack, with Adam and micro-batches of 20,000; 63.6 GB
for whole batches.
Time: 300 steps took the paper at most 4 hours on a V100.
Expected: GD fits the digits and stalls; Adam fits both halves.
"""

from experiments.small import small
from optexp_jax import Problem
from optexp_jax.cli import main
from optexp_jax.datasets import BarcodedMNIST
from optexp_jax.grid import coarse_to_fine, experiments_of
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import CNN
from optexp_jax.optim import SGD, Adam, NormalizedGD, SignDescent

dataset = BarcodedMNIST()
problem = Problem(CNN(dataset.num_classes), dataset, CrossEntropy())

runs = [
    *coarse_to_fine(SGD, (-5, 1), (-5, 0)),
    *coarse_to_fine(SGD, (-5, 1), (-5, 0), momentum=0.9),
    *coarse_to_fine(Adam, (-5, 1), (-4, -1), beta1=0.0),
    *coarse_to_fine(Adam, (-5, 1), (-4, -1)),
    *coarse_to_fine(SignDescent, (-5, 1), (-3, -1)),
    *coarse_to_fine(SignDescent, (-5, 1), (-4, -2), momentum=0.9),
    *coarse_to_fine(NormalizedGD, (-5, 1), (-1, 1)),
    *coarse_to_fine(NormalizedGD, (-5, 1), (-1, 1), momentum=0.9),
]

experiments = experiments_of(
    runs, problem, group="SimpleCNN_MNISTBarcoded_FB_normalized_v2", epochs=300
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
