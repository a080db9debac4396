"""A one-layer transformer on TinyPTB in full batches: the search of learning rates.

One head, width and MLP of 1,200, dropout 0.2 as the paper ran it, so that full batches are not
quite deterministic. A step is one pass over 71,680 words.

Figure: 13, 23 (learning rates)
Command: python -m experiments.simpler_transformers.basic_one_layer --local
Memory: 16.7 GB and 0.4 GB for each run of a pack, with Adam.
Time: 3,200 steps took the paper at most 4 hours on a V100.
Expected: without the noise of mini-batches SGD still ends above Adam.
"""

from experiments.small import small
from optexp_jax import Problem
from optexp_jax.cli import main
from optexp_jax.datasets import TinyPTB
from optexp_jax.grid import coarse_to_fine, experiments_of
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Transformer
from optexp_jax.optim import SGD, Adam, NormalizedGD, SignDescent

dataset = TinyPTB()
model = Transformer(
    dataset.vocabulary,
    dataset.num_classes,
    depth=1,
    num_heads=1,
    width=1200,
    width_mlp=1200,
    dropout=0.2,
)
problem = Problem(model, dataset, CrossEntropy())

runs = [
    *coarse_to_fine(SGD, (-6, 1), (-2, 0)),
    *coarse_to_fine(SGD, (-6, 1), (-3, -1), momentum=0.9),
    *coarse_to_fine(Adam, (-6, 1), (-5, -3), beta1=0.0),
    *coarse_to_fine(Adam, (-6, 1), (-4, -2)),
    *coarse_to_fine(SignDescent, (-6, 1), (-4, -2)),
    *coarse_to_fine(SignDescent, (-6, 1), (-5, -3), momentum=0.9),
    *coarse_to_fine(NormalizedGD, (-6, 1), (-1, 1)),
    *coarse_to_fine(NormalizedGD, (-6, 1), (-2, 0), momentum=0.9),
]

experiments = experiments_of(
    runs, problem, group="TransformerEncoder_TinyPTB_FB_Width_EmbDim_1200", epochs=3200
)
resources = "v100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
