"""The transformer on the Penn Treebank at the best step sizes of `PTB`, with losses by class.

Figure: 12, 31
Command: python -m experiments.imbalance.PTB_with_class_stats --local
Time: 100 epochs took the paper at most 12 hours on a P100.
Expected: SGD makes little progress on the rarest tenth of the words, Adam lowers all tenths.
"""

from experiments.imbalance.PTB import problem
from experiments.small import small
from optexp_jax.grid import experiments_over
from optexp_jax.launch.cli import main
from optexp_jax.optim import SGD, Adam, LearningRate

optimizers = [
    SGD(LearningRate(-1)),
    SGD(LearningRate("-3/2"), momentum=0.9),
    Adam(LearningRate(-4), beta1=0.0),
    Adam(LearningRate("-7/2")),
]

experiments = experiments_over(
    optimizers,
    problem,
    group="TEnc_standard_training_PTB_per_class",
    epochs=100,
    per_class=True,
    keep_steps=(0, 1, 5, 10, 50, 100),
)

if __name__ == "__main__":
    main(experiments, slurm="p100_12h", small=small)
