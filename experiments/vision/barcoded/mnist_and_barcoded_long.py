"""The CNN on MNIST and barcoded MNIST for twice as long: the search of learning rates.

Figure: 24 (learning rates)
Command: python -m experiments.vision.barcoded.mnist_and_barcoded_long --local
Time: 600 steps took the paper at most 4 hours on a V100.
Expected: GD still leaves the rare half; sign descent does not.
"""

from experiments.small import small
from experiments.vision.barcoded import mnist_and_barcoded
from optexp_jax.cli import main
from optexp_jax.grid import replace_all

experiments = replace_all(
    mnist_and_barcoded.experiments,
    group="SimpleCNN_MNISTBarcoded_FB_normalized_v2_long",
    epochs=600,
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
