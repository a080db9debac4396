"""The optimizers of today on a CNN and barcoded MNIST, by frequency.

Figure: B4
Command: python -m experiments.beyond.today_barcoded --local
Time: as long as `vision.barcoded.mnist_and_barcoded`, 70 runs of at most 4 hours on a V100.
Expected: nearly every method ends below SGD on the rare half; they differ less on the digits.
"""

from experiments.beyond.methods import todays
from experiments.small import small
from experiments.vision.barcoded import mnist_and_barcoded
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over

experiments = experiments_over(
    todays(), mnist_and_barcoded.problem, group="beyond_today_barcoded", epochs=300, per_class=True
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
