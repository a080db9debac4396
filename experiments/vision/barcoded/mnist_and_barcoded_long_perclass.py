"""The CNN on MNIST and barcoded MNIST for 600 steps, all optimizers, with losses by class.

Figure: 24
Command: python -m experiments.vision.barcoded.mnist_and_barcoded_long_perclass --local
Time: 600 steps took the paper at most 4 hours on a V100.
Expected: sign descent and Adam lower both halves; GD and normalised GD leave the rare one behind.
"""

from experiments.small import small
from experiments.vision.barcoded import mnist_and_barcoded_long
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {
    "SGD": -1,
    "SGD + momentum": "-5/2",
    "Adam": "-5/2",
    "Adam + momentum": "-5/2",
    "SignDescent": "-5/2",
    "SignDescent + momentum": "-7/2",
    "NormalizedGD": 0,
    "NormalizedGD + momentum": 0,
}

experiments = at_best(
    mnist_and_barcoded_long.experiments,
    exponents,
    group="SimpleCNN_MNISTBarcoded_FB_normalized_v2_long_perclass",
    per_class=True,
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
