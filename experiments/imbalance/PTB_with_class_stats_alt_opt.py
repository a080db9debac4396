"""The transformer on the Penn Treebank with other optimizers, with losses by class.

Scaled sign descent, Adagrad and GD with a line search, in the group of SGD and Adam.

Figure: none
Command: python -m experiments.imbalance.PTB_with_class_stats_alt_opt --local
Time: 100 epochs took the paper at most 12 hours on a P100.
Expected: the methods that rescale every coordinate lower all tenths; a line search does not help.
"""

from experiments.imbalance.PTB import problem
from experiments.small import small
from optexp_jax.grid import experiments_over
from optexp_jax.launch.cli import main
from optexp_jax.optim import Adagrad, LearningRate, LineSearchGD, ScaledSignDescent

optimizers = [
    ScaledSignDescent(LearningRate("-15/2")),
    ScaledSignDescent(LearningRate("-15/2"), momentum=0.9),
    Adagrad(LearningRate("-5/2")),
    LineSearchGD(),
]

experiments = experiments_over(
    optimizers,
    problem,
    group="TEnc_standard_training_PTB_per_class",
    epochs=100,
    per_class=True,
)

if __name__ == "__main__":
    main(experiments, slurm="p100_12h", small=small)
