"""Softmax regression, m = 11, with normalised and sign descent, with losses by class.

They share a group with GD and Adam of `balanced_x_perclass`.

Figure: 22
Command: python -m experiments.toy_models.balanced_x_perclass_alt_opt --local
Time: 1,000 steps took the paper at most 4 hours on a GPU.
Expected: sign descent behaves as Adam; normalising helps GD, but less.
"""

from experiments.small import small
from experiments.toy_models.balanced_x import problem
from optexp_jax.grid import experiments_over
from optexp_jax.launch.cli import main
from optexp_jax.optim import LearningRate, NormalizedGD, ScaledSignDescent, SignDescent

optimizers = [
    NormalizedGD(LearningRate(-1)),
    NormalizedGD(LearningRate("-3/2"), momentum=0.9),
    SignDescent(LearningRate(-5)),
    SignDescent(LearningRate(-5), momentum=0.9),
    ScaledSignDescent(LearningRate(-8)),
    ScaledSignDescent(LearningRate(-8), momentum=0.9),
]

experiments = experiments_over(
    optimizers,
    problem,
    group="LogReg_BalancedXImbalancedY_PerClass",
    epochs=1000,
    per_class=True,
)

if __name__ == "__main__":
    main(experiments, slurm="p100_4h", small=small)
