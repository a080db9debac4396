"""The CNN on barcoded MNIST alone for twice as long.

Figure: 18b
Command: python -m experiments.vision.barcoded.mnist_barcoded_only_long --local
Time: 600 steps took the paper at most 4 hours on a V100.
Expected: Adam is faster, but GD also reaches a loss near 0 within 200 steps.
"""

from experiments.small import small
from experiments.vision.barcoded import mnist_barcoded_only
from optexp_jax.cli import main
from optexp_jax.grid import replace_all

experiments = replace_all(
    mnist_barcoded_only.experiments,
    group="SimpleCNN_MNISTBarcodedOnly_FB_normalized_long",
    epochs=600,
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
