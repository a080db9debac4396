"""Zipf laws: how many steps gradient and sign descent need as a vocabulary grows.

A linear bigram model learns the distribution of the next word by the squared loss, in full batches,
from zero. Words follow π_k ∝ 1 / k^power for powers 1/2, 1 and 3/2, over 16 to 256 words. Gradient
descent runs at 1 / π_1, sign descent at the constant rate at which a tenth of the loss is left
soonest; both are known in closed form (`optexp_jax.analysis`).

Figure: B1
Command: python -m experiments.beyond.zipf --local --scale small
Time: under a minute on two cores; every scale has the same runs.
Expected: at power 1 gradient descent needs steps nearly in proportion to the words, sign descent to
about their root; runs follow the closed forms.
"""

from experiments.beyond.rates import gd_on_zipf, sign_on_zipf
from experiments.small import small
from optexp_jax import Experiment, Problem
from optexp_jax.cli import main
from optexp_jax.datasets import ZipfBigram
from optexp_jax.grid import grid
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear, Zeros

POWERS, WORDS, SHARE = (0.5, 1.0, 1.5), (16, 32, 64, 128, 256), 0.1

datasets = grid(ZipfBigram, num_classes=WORDS, power=POWERS, least=1, seed=0)
experiments = [
    Experiment(
        Problem(
            Linear(dataset.num_inputs, dataset.num_classes, use_bias=False, init_values=Zeros()),
            dataset,
            SquaredLoss(),
        ),
        optimizer,
        group="beyond_zipf",
        steps=steps,
    )
    for dataset in datasets
    for optimizer, steps in (gd_on_zipf(dataset, SHARE), sign_on_zipf(dataset, SHARE))
]
resources = "two_cores"
seconds = 0.5  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
