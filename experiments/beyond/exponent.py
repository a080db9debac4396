"""The exponent of the class distribution, from 0 to 1.5: where does the gap open?

Softmax regression on random inputs as in figure 4, with 100 classes and 1,000 examples throughout;
frequencies are ∝ 1 / k^power, of which each class has one example at least.

Figure: B7
Command: python -m experiments.beyond.exponent --local --scale small
Time: six minutes on two cores; every scale has the same runs.
Expected: GD and Adam end alike on classes of one size; the gap on the rarest tenth of the examples
opens with the exponent, that on the most frequent does not.
"""

from experiments.small import small
from optexp_jax import Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.datasets import Uniform, ZipfMandelbrot
from optexp_jax.grid import experiments_over, grid, over_rates
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
CLASSES, EXAMPLES = 100, 1000

datasets = grid(
    ZipfMandelbrot,
    num_classes=CLASSES,
    power=POWERS,
    shift=0.0,
    examples=EXAMPLES,
    inputs=Uniform(),
)
optimizers = [
    *over_rates(SGD, lr_grid(-3, 0, density=1), momentum=0.9),
    *over_rates(Adam, lr_grid(-4, -1, density=1)),
]
experiments = [
    experiment
    for dataset in datasets
    for experiment in experiments_over(
        optimizers,
        Problem(Linear(dataset.num_inputs, CLASSES), dataset, CrossEntropy()),
        group="beyond_exponent",
        steps=200,
        per_class=True,
    )
]
resources = "two_cores"
seconds = 3  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
