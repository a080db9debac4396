"""Softmax regression, m = 11, GD and Adam at the best step sizes, with losses by class.

Parameters are kept at steps 0, 1, 5, 10, 50 and 100, for the gradients and Hessians by class.

Figure: 4, 7, 9, 22, 26, 27, 32, 33
Command: python -m experiments.toy_models.balanced_x_perclass --local
Time: 1,000 steps took the paper at most 4 hours on a GPU.
Expected: GD fits classes in the order of their frequency and is left with the rare ones; Adam fits
the rare ones as soon as the others.
"""

from experiments.small import small
from experiments.toy_models.balanced_x import problem
from optexp_jax.grid import experiments_over
from optexp_jax.launch.cli import main
from optexp_jax.optim import SGD, Adam, LearningRate

optimizers = [
    SGD(LearningRate("-5/2")),
    SGD(LearningRate(-3), momentum=0.9),
    Adam(LearningRate(-4), beta1=0.0),
    Adam(LearningRate("-7/2")),
]

experiments = experiments_over(
    optimizers,
    problem,
    group="LogReg_BalancedXImbalancedY_PerClass",
    epochs=1000,
    per_class=True,
    keep_steps=(0, 1, 5, 10, 50, 100),
)

if __name__ == "__main__":
    main(experiments, slurm="p100_4h", small=small)
