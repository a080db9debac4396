"""The last layer of a transformer on TinyPTB in full batches, all else frozen: learning rates.

The model is embedding, positions and one causal attention with its residual, without norm, MLP or
dropout; only the head of 1,200 · 9,922 weights and its bias are trained. The loss is convex.

Figure: 5, 14 (learning rates)
Command: python -m experiments.simpler_transformers.train_only_last_layer --local
Memory: 9.5 GB and 0.2 GB for each run of a pack, with Adam.
Time: 3,200 steps took the paper at most 2 hours on a V100.
Expected: Adam and sign descent end lower than GD and normalised GD.
"""

import dataclasses

from experiments.simpler_transformers import basic_one_layer
from experiments.small import small
from optexp_jax.cli import main
from optexp_jax.grid import coarse_to_fine, experiments_of
from optexp_jax.optim import SGD, Adam, NormalizedGD, SignDescent

model = basic_one_layer.model.clone(
    width_mlp=None, dropout=0.0, norm="none", frozen=("embedding", "attention")
)
problem = dataclasses.replace(basic_one_layer.problem, model=model)

runs = [
    *coarse_to_fine(SGD, (-6, 0), (-2, 0)),
    *coarse_to_fine(SGD, (-6, 0), (-2, 0), momentum=0.9),
    *coarse_to_fine(Adam, (-6, 0), (-4, -2), beta1=0.0),
    *coarse_to_fine(Adam, (-6, 0), (-4, -2)),
    *coarse_to_fine(SignDescent, (-6, 0), (-5, -3)),
    *coarse_to_fine(SignDescent, (-6, 0), (-5, -3), momentum=0.9),
    *coarse_to_fine(NormalizedGD, (-6, 0), (-3, 0)),
    *coarse_to_fine(NormalizedGD, (-6, 0), (-3, 0), momentum=0.9),
]

experiments = experiments_of(
    runs, problem, group="TransformerEncoder_TinyPTB_FB_Base_TTF", epochs=3200
)
resources = "v100_2h"

if __name__ == "__main__":
    main(experiments, resources, small)
