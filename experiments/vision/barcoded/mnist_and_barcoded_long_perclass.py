"""The CNN on MNIST and barcoded MNIST for 600 steps, all optimizers, with losses by class.

Figure: 24
Command: python -m experiments.vision.barcoded.mnist_and_barcoded_long_perclass --local
Time: 600 steps took the paper at most 4 hours on a V100.
Expected: sign descent and Adam lower both halves; GD and normalised GD leave the rare one behind.
"""

from experiments.small import small
from experiments.vision.barcoded.mnist_and_barcoded import problem
from optexp_jax.grid import experiments_over
from optexp_jax.launch.cli import main
from optexp_jax.optim import SGD, Adam, LearningRate, NormalizedGD, SignDescent

optimizers = [
    SGD(LearningRate(-1)),
    SGD(LearningRate("-5/2"), momentum=0.9),
    Adam(LearningRate("-5/2"), beta1=0.0),
    Adam(LearningRate("-5/2")),
    SignDescent(LearningRate("-5/2")),
    SignDescent(LearningRate("-7/2"), momentum=0.9),
    NormalizedGD(LearningRate(0)),
    NormalizedGD(LearningRate(0), momentum=0.9),
]

experiments = experiments_over(
    optimizers,
    problem,
    group="SimpleCNN_MNISTBarcoded_FB_normalized_v2_long_perclass",
    epochs=600,
    per_class=True,
)

if __name__ == "__main__":
    main(experiments, slurm="v100_4h", small=small)
