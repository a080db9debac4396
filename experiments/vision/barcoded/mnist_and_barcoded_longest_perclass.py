"""The CNN on MNIST and barcoded MNIST under GD for 10,000 steps, with losses by class.

Shown in figure 20b at 100, 1,000 and 10,000 steps of one learning rate; the paper's code has 600.

Figure: 20b
Command: python -m experiments.vision.barcoded.mnist_and_barcoded_longest_perclass --local
Time: 33 times as long as `mnist_and_barcoded_perclass` for each run.
Expected: GD fits the rare half in the end, but starts on it only after about 1,000 steps.
"""

from experiments.small import small
from experiments.vision.barcoded import mnist_and_barcoded
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {"SGD": "-3/2", "SGD + momentum": -2}

experiments = at_best(
    mnist_and_barcoded.experiments,
    exponents,
    group="SimpleCNN_MNISTBarcoded_FB_normalized_v2_longest_perclass",
    epochs=10_000,
    per_class=True,
)
resources = "v100_8h"

if __name__ == "__main__":
    main(experiments, resources, small)
