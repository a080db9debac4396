"""Softmax regression on the handwritten digits of scikit-learn: classes of equal frequency.

What the paper shows for MNIST (figure 2a), in seconds: without imbalance, gradient descent does as
well as Adam.

Figure: none; as 2a
Command: python -m experiments.offline.digits --local
         python -m experiments.offline.digits --plot --perclass
Time: half a minute on two cores.
Expected: all three optimizers fit all ten classes.
"""

from experiments.small import small
from optexp_jax import Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.datasets import Digits
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, SignDescent

dataset = Digits(flatten=True)
problem = Problem(Linear(64, dataset.num_classes), dataset, CrossEntropy())

optimizers = [
    *over_rates(SGD, lr_grid(-1, 1), momentum=0.9),
    *over_rates(Adam, lr_grid(-2, 0)),
    *over_rates(SignDescent, lr_grid(-3, -1), momentum=0.9),
]

experiments = experiments_over(
    optimizers, problem, group="Linear_Digits", steps=300, per_class=True
)
resources = "two_cores"
seconds = 3  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
