"""The one-layer transformer at the best learning rates of `basic_one_layer`, with losses by class.

Figure: 13, 23
Command: python -m experiments.simpler_transformers.basic_one_layer_perclass --local
Time: 500 steps took the paper at most 8 hours on a V100.
Expected: GD leaves the rarest words, Adam and sign descent lower all; normalising helps less.
"""

from experiments.simpler_transformers import basic_one_layer
from experiments.small import small
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {
    "SGD": -1,
    "SGD + momentum": "-3/2",
    "Adam": -4,
    "Adam + momentum": "-7/2",
    "NormalizedGD": 0,
    "NormalizedGD + momentum": -1,
    "SignDescent": "-7/2",
    "SignDescent + momentum": -5,
}

experiments = at_best(
    basic_one_layer.experiments,
    exponents,
    group="TransformerEncoder_TinyPTB_FB_Width_EmbDim_1200_perclass_smaller",
    epochs=500,
    per_class=True,
)
resources = "v100_8h"

if __name__ == "__main__":
    main(experiments, resources, small)
