"""The CNN on MNIST and barcoded MNIST at its best learning rates, with losses by class.

Parameters are kept at steps 0, 1, 5, 10, 50 and 100, for the gradients and Hessians by class.

Figure: 2, 18c, 29
Command: python -m experiments.vision.barcoded.mnist_and_barcoded_perclass --local
Time: 300 steps took the paper at most 4 hours on a V100.
Expected: from 9.2 GD fits the 10 digits and makes nearly no progress on the rare half, so that the
whole stalls near 4.7; Adam lowers both halves.
"""

from experiments.small import small
from experiments.vision.barcoded import mnist_and_barcoded
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {
    "SGD": "-3/2",
    "SGD + momentum": -2,
    "Adam": "-5/2",
    "Adam + momentum": "-5/2",
    "SignDescent": -2,
    "SignDescent + momentum": "-7/2",
    "NormalizedGD": 0,
    "NormalizedGD + momentum": 0,
}

experiments = at_best(
    mnist_and_barcoded.experiments,
    exponents,
    group="SimpleCNN_MNISTBarcoded_FB_normalized_v2_perclass",
    per_class=True,
    keep_steps=(0, 1, 5, 10, 50, 100),
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
