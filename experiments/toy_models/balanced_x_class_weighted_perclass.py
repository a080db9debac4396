"""Softmax regression, m = 11, weights 1/π, at the best step sizes, with losses by class.

Figure: 25
Command: python -m experiments.toy_models.balanced_x_class_weighted_perclass --local
Time: 500 steps took the paper at most 4 hours on a GPU.
Expected: with all classes of equal weight GD leaves none behind.
"""

from experiments.small import small
from experiments.toy_models.balanced_x_class_weighted import problem
from optexp_jax.grid import experiments_over
from optexp_jax.launch.cli import main
from optexp_jax.optim import SGD, Adam, LearningRate

optimizers = [
    SGD(LearningRate("-1/2")),
    SGD(LearningRate(0), momentum=0.9),
    Adam(LearningRate(-4), beta1=0.0),
    Adam(LearningRate(-4)),
]

experiments = experiments_over(
    optimizers,
    problem,
    group="LogReg_ClassWeighted_BalancedXImbalancedY_PerClass",
    epochs=500,
    per_class=True,
)

if __name__ == "__main__":
    main(experiments, slurm="p100_4h", small=small)
