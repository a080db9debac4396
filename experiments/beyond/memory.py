"""An associative memory in a rotated basis: which optimizers need the axes of the classes?

127 items, W from zero, logits U W v: one-hot vectors, or random orthonormal ones. Frequencies are
those of Zipf's law, or of groups of 2^g classes. A learning rate decides in how many steps the
likeliest class is learned, to a probability of 0.9: from one step on.

Figure: B3
Command: python -m experiments.beyond.memory --local --scale small
Time: two minutes on two cores; every scale has the same runs.
Expected: in few steps gradient descent leaves the rarest class, and so do sign descent and Adam in
the rotated basis, while with one-hot vectors they learn all; Muon learns all in both.
"""

from experiments.small import small
from optexp_jax import Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.datasets import HeavyTailedOneHot, PowerLawOneHot
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import AssociativeMemory
from optexp_jax.optim import SGD, Adam, Muon, SignDescent

ITEMS = 127
DATASETS = (PowerLawOneHot(ITEMS, least=1), HeavyTailedOneHot(start_examples=64, base=2))

optimizers = [
    *over_rates(SGD, lr_grid(0, 3, density=2)),
    *over_rates(SignDescent, lr_grid(-2, 1, density=2)),
    *over_rates(Adam, lr_grid(-2, 1, density=2)),
    *over_rates(Muon, lr_grid(-1, 2, density=2), momentum=0.0, takes=("other",)),
]
experiments = [
    experiment
    for dataset in DATASETS
    for rotated in (False, True)
    for experiment in experiments_over(
        optimizers,
        Problem(AssociativeMemory(ITEMS, rotated), dataset, CrossEntropy()),
        group="beyond_memory",
        steps=60,
        per_class=True,
    )
]
resources = "two_cores"
seconds = 0.6  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
