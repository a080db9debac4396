"""One softmax over words: sign against normalised descent as the vocabulary grows.

A logit for each of 100 to 100,000 words, from zero, on the cross-entropy to π_k ∝ 1 / k; one full
gradient a step. Constant learning rates in quarter decades.

Figure: B2
Command: python -m experiments.beyond.unigram --local --scale small
Time: two minutes on two cores; every scale has the same runs.
Expected: sign descent needs fewer steps than normalised descent, by a factor that grows with the
vocabulary.
"""

from experiments.small import small
from optexp_jax import Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.datasets import ZipfUnigram
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear, Zeros
from optexp_jax.optim import SGD, NormalizedGD, SignDescent

WORDS = (100, 316, 1000, 3162, 10_000, 31_623, 100_000)

optimizers = [
    *over_rates(SignDescent, lr_grid(-2, 0, density=2)),
    *over_rates(NormalizedGD, lr_grid(-1, 2, density=2)),
    *over_rates(SGD, lr_grid(0, 3, density=2)),
]
experiments = [
    experiment
    for words in WORDS
    for experiment in experiments_over(
        optimizers,
        Problem(
            Linear(1, words, use_bias=False, init_values=Zeros()),
            ZipfUnigram(words),
            CrossEntropy(),
        ),
        group="beyond_unigram",
        steps=1000,
    )
]
resources = "two_cores"
seconds = 1  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
