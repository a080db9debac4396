"""A two-layer transformer on the Penn Treebank: the search of learning rates.

Four heads, width and MLP of 1,000, dropout 0.2; 512 streams of text, 35 words a step, in the order
of the text. An epoch is 52 steps.

Figure: 12 (learning rates)
Command: python -m experiments.imbalance.PTB --local
Time: 100 epochs took the paper at most 12 hours on a P100.
Expected: at its best learning rate Adam ends well below SGD.
"""

from experiments.small import small
from optexp_jax import MiniBatch, Problem
from optexp_jax.cli import main
from optexp_jax.datasets import PTB
from optexp_jax.grid import coarse_to_fine, experiments_of
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Transformer
from optexp_jax.optim import SGD, Adagrad, Adam, ScaledSignDescent

dataset = PTB()
model = Transformer(
    dataset.vocabulary,
    dataset.num_classes,
    depth=2,
    num_heads=4,
    width=1000,
    width_mlp=1000,
    dropout=0.2,
)
problem = Problem(model, dataset, CrossEntropy(), MiniBatch(512, shuffle=False))

three = {"coarse_seeds": (0, 1, 2)}

runs = [
    *coarse_to_fine(SGD, None, (-2, 0)),
    *coarse_to_fine(SGD, None, (-3, -1), momentum=0.9),
    *coarse_to_fine(Adam, None, (-5, -2), beta1=0.0),
    *coarse_to_fine(Adam, None, (-5, -2)),
    *coarse_to_fine(ScaledSignDescent, (-10, -6), (-8, -6), **three),
    *coarse_to_fine(ScaledSignDescent, (-10, -7), (-9, -7), **three, momentum=0.9),
    *coarse_to_fine(Adagrad, None, (-4, -2)),
]

experiments = experiments_of(runs, problem, group="TEnc_standard_training_PTB", epochs=100)
resources = "p100_12h"

if __name__ == "__main__":
    main(experiments, resources, small)
