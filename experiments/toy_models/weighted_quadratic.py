"""The weighted quadratic f(w) = Σ π_k w_k² / 2 with π_k ∝ 1/k and w_k(0) = 1.

As the linear regression that learns the identity: the error on class k is w_k, and its loss is
w_k² / 2. GD follows w_k(t) = (1 - η π_k)^t exactly at learning rate η; it is stable below 2 / π_1.

Figure: 6
Command: python -m experiments.toy_models.weighted_quadratic --local
Time: seconds on two cores.
Expected: under GD the lines fan out by frequency; under Adam and sign descent they are one line.
"""

from experiments.small import small
from optexp_jax import Problem
from optexp_jax.cli import main
from optexp_jax.datasets import PowerLawOneHot
from optexp_jax.grid import experiments_over
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear, Zeros
from optexp_jax.optim import SGD, Adam, LearningRate, SignDescent

dataset = PowerLawOneHot(num_classes=100, least=50)
model = Linear(dataset.num_inputs, dataset.num_classes, use_bias=False, init_values=Zeros())
problem = Problem(model, dataset, SquaredLoss(), precision="float64")

optimizers = [
    SGD(LearningRate("1/2")),
    Adam(LearningRate(-2), beta1=0.0),
    SignDescent(LearningRate(-2)),
]

experiments = experiments_over(
    optimizers, problem, group="WeightedQuadratic", steps=200, per_class=True
)
resources = "p100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
