"""Softmax regression on Fashion-MNIST: ten classes of 6,000 images each.

The images come from Debian's package dataset-fashion-mnist, from TensorFlow Datasets, or by
`--prepare` where there is a network.

Figure: none; as 2a
Command: python -m experiments.offline.fashion_mnist --local
         python -m experiments.offline.fashion_mnist --plot --perclass
Time: 2 minutes on two cores.
Expected: all three optimizers end near 0.37; what differs between classes
is how hard they are, not which optimizer it is.
"""

from experiments.small import small
from optexp_jax import Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.datasets import FashionMNIST
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, SignDescent

dataset = FashionMNIST(flatten=True)
problem = Problem(Linear(784, dataset.num_classes), dataset, CrossEntropy())

optimizers = [
    *over_rates(SGD, lr_grid(-2, 0), momentum=0.9),
    *over_rates(Adam, lr_grid(-3, -1)),
    *over_rates(SignDescent, lr_grid(-5, -3), momentum=0.9),
]

experiments = experiments_over(
    optimizers, problem, group="Linear_FashionMNIST", steps=200, per_class=True
)
resources = "two_cores"
seconds = 13  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
