"""The CNN on MNIST and barcoded MNIST, weights 1/π, for twice as long: learning rates.

Figure: 25 (learning rates)
Command: python -m experiments.vision.barcoded.mnist_and_barcoded_reweighted_long --local
Time: 600 steps took the paper at most 4 hours on a V100.
Expected: reweighted GD lowers the unweighted loss further than GD, with spikes.
"""

from experiments.small import small
from experiments.vision.barcoded import mnist_and_barcoded_reweighted
from optexp_jax.cli import main
from optexp_jax.grid import replace_all

experiments = replace_all(
    mnist_and_barcoded_reweighted.experiments,
    group="SimpleCNN_MNISTBarcoded_FB_normalized_v2_reweighted_long",
    epochs=600,
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
