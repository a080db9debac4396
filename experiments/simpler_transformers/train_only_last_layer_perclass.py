"""The last layer alone at the best step sizes of `train_only_last_layer`, with losses by class.

Figure: 5, 14
Command: python -m experiments.simpler_transformers.train_only_last_layer_perclass --local
Time: 1,000 steps took the paper at most 4 hours on a V100.
Expected: the gap between frequent and rare words is small for sign descent and Adam, larger for
normalised GD, largest for GD; momentum changes less than the direction.
"""

from experiments.simpler_transformers.train_only_last_layer import problem
from experiments.small import small
from optexp_jax.grid import experiments_over
from optexp_jax.launch.cli import main
from optexp_jax.optim import SGD, Adam, LearningRate, NormalizedGD, SignDescent

optimizers = [
    SGD(LearningRate(-1)),
    SGD(LearningRate("-3/2"), momentum=0.9),
    Adam(LearningRate(-3), beta1=0.0),
    Adam(LearningRate("-5/2")),
    NormalizedGD(LearningRate(-1)),
    NormalizedGD(LearningRate(-2), momentum=0.9),
    SignDescent(LearningRate(-4)),
    SignDescent(LearningRate("-7/2"), momentum=0.9),
]

experiments = experiments_over(
    optimizers, problem, group="MLP_Frozen_split_by_class", epochs=1000, per_class=True
)

if __name__ == "__main__":
    main(experiments, slurm="v100_4h", small=small)
