"""Linear regression that learns the identity under heavy-tailed class imbalance: the grid.

1000 classes with 1 example, 100 with 10, 10 with 100 and 1 with 1000; inputs are one-hot, the
model is linear without bias from zero, the loss is ½ ‖f(x) - e_y‖². Section 3.3 of the paper with
a squared loss, where everything is known exactly: under gradient descent at rate η the loss of a
class of frequency π is ½ (1 - ηπ)^2t, under sign descent ½ (1 - ηt)² for every class.

Figure: none; figure 6 is its weighted quadratic
Command: python -m experiments.linreg --local && python -m experiments.linreg --plot
Time: about 10 minutes on two cores.
Expected: at their best rates gradient descent is left with the rare
classes; Adam and sign descent fit all classes, whatever their frequency.
"""

from experiments.small import small
from optexp_jax import Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear, Zeros
from optexp_jax.optim import SGD, Adam, LearningRate, NormalizedGD, SignDescent

dataset = HeavyTailedOneHot(start_examples=1000, base=10)
model = Linear(dataset.num_inputs, dataset.num_classes, use_bias=False, init_values=Zeros())
problem = Problem(model, dataset, SquaredLoss())

optimizers = [
    SGD(LearningRate(0)),
    *over_rates(SGD, lr_grid(-3, 1)),
    *over_rates(SGD, lr_grid(-3, 1), momentum=0.9),
    *over_rates(Adam, lr_grid(-4, 0), beta1=0.0),
    *over_rates(Adam, lr_grid(-4, 0)),
    *over_rates(SignDescent, lr_grid(-5, -1)),
    *over_rates(SignDescent, lr_grid(-5, -1), momentum=0.9),
    *over_rates(NormalizedGD, lr_grid(-3, 1)),
    *over_rates(NormalizedGD, lr_grid(-3, 1), momentum=0.9),
]

experiments = experiments_over(optimizers, problem, group="LinReg_HeavyTailedOneHot", steps=2000)
resources = "two_cores"
seconds = 15  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
