"""The last layer alone at the best learning rates of `train_only_last_layer`, with losses by class.

Figure: 5, 14
Command: python -m experiments.simpler_transformers.train_only_last_layer_perclass --local
Time: 1,000 steps took the paper at most 4 hours on a V100.
Expected: the gap between frequent and rare words is small for sign descent and Adam, larger for
normalised GD, largest for GD; momentum changes less than the direction.
"""

from experiments.simpler_transformers import train_only_last_layer
from experiments.small import small
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {
    "SGD": -1,
    "SGD + momentum": "-3/2",
    "Adam": -3,
    "Adam + momentum": "-5/2",
    "NormalizedGD": -1,
    "NormalizedGD + momentum": -2,
    "SignDescent": -4,
    "SignDescent + momentum": "-7/2",
}

experiments = at_best(
    train_only_last_layer.experiments,
    exponents,
    group="MLP_Frozen_split_by_class",
    epochs=1000,
    per_class=True,
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
