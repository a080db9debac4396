"""The CNN on MNIST and barcoded MNIST, weights 1/π, at its best rates, with losses by class.

Figure: 25
Command: python -m experiments.vision.barcoded.mnist_and_barcoded_reweighted_long_perclass --local
Time: 600 steps took the paper at most 4 hours on a V100.
Expected: reweighted GD fits both halves; Adam gains nothing by the weights.
"""

from experiments.small import small
from experiments.vision.barcoded import mnist_and_barcoded_reweighted_long
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {
    "SGD": 0,
    "SGD + momentum": "-1/2",
    "Adam": "-5/2",
    "Adam + momentum": "-5/2",
    "SignDescent": "-5/2",
    "SignDescent + momentum": -4,
    "NormalizedGD": 0,
    "NormalizedGD + momentum": -2,
}

experiments = at_best(
    mnist_and_barcoded_reweighted_long.experiments,
    exponents,
    group="SimpleCNN_MNISTBarcoded_FB_normalized_v2_reweighted_long_perclass",
    per_class=True,
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
