"""The CNN on MNIST and barcoded MNIST, classes weighted by 1/π: the search of learning rates.

The paper's code gives this group the name of the unweighted one; here it has its own.

Figure: 25 (learning rates)
Command: python -m experiments.vision.barcoded.mnist_and_barcoded_reweighted --local
Time: 300 steps took the paper at most 4 hours on a V100.
Expected: reweighted GD lowers the unweighted loss further than GD.
"""

from experiments.small import small
from experiments.vision.barcoded import mnist_and_barcoded
from optexp_jax.cli import main
from optexp_jax.grid import replace_all, replace_in_problem
from optexp_jax.losses import CrossEntropy, Weighted

experiments = replace_all(
    replace_in_problem(mnist_and_barcoded.experiments, loss=Weighted(CrossEntropy())),
    group="SimpleCNN_MNISTBarcoded_FB_normalized_v2_reweighted",
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
