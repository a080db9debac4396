"""Zipf laws under mini-batches: SGD on pairs of words, and its bias and variance in closed form.

128 words with π_k ∝ 1 / k; every pair is drawn independently and seen once, so that the mean excess
loss is known exactly. The rate is that of gradient descent, 1 / π_1, and a quarter of it.

Figure: B1
Command: python -m experiments.beyond.zipf_noise --local --scale small
Time: a minute on two cores; every scale has the same runs.
Expected: the excess loss is the bias, which is that of gradient descent, plus a variance that falls
with the size of batches; small batches end on the floor of the variance.
"""

from experiments.beyond.rates import fastest_gd
from experiments.small import small
from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.cli import main
from optexp_jax.datasets import ZipfBigram
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear, Zeros

WORDS, STEPS, BATCHES, SEEDS = 128, 200, (4, 16, 64), (0, 1, 2)

model = Linear(WORDS, WORDS, use_bias=False, init_values=Zeros())
experiments = [
    Experiment(
        Problem(
            model, ZipfBigram(WORDS, pairs=STEPS * size, least=2), SquaredLoss(), MiniBatch(size)
        ),
        fastest_gd(ZipfBigram(WORDS, seed=0), share),
        group="beyond_zipf_noise",
        seed=seed,
        steps=STEPS,
    )
    for size in BATCHES
    for share in (0.25, 1.0)
    for seed in SEEDS
]
resources = "two_cores"
seconds = 4  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
