"""The weighted transformer at the best step sizes of `PTB_class_weighted`, with losses by class.

Figure: 25
Command: python -m experiments.imbalance.PTB_class_weighted_per_class --local
Time: 100 epochs took the paper at most 6 hours on a P100.
Expected: reweighted SGD lowers the rare words that plain SGD leaves; Adam gains nothing by it.
"""

from experiments.imbalance.PTB_class_weighted import problem
from experiments.small import small
from optexp_jax.grid import experiments_over
from optexp_jax.launch.cli import main
from optexp_jax.optim import SGD, Adam, LearningRate

optimizers = [
    SGD(LearningRate(0)),
    SGD(LearningRate("-1/2"), momentum=0.9),
    Adam(LearningRate("-7/2"), beta1=0.0),
    Adam(LearningRate("-7/2")),
]

experiments = experiments_over(
    optimizers,
    problem,
    group="TEnc_standard_training_class_weighted_PTB_per_class",
    epochs=100,
    per_class=True,
)

if __name__ == "__main__":
    main(experiments, slurm="p100_6h", small=small)
