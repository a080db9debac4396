"""The one-layer transformer at the best step sizes of `basic_one_layer`, with losses by class.

Figure: 13, 23
Command: python -m experiments.simpler_transformers.basic_one_layer_perclass --local
Time: 500 steps took the paper at most 8 hours on a V100.
Expected: GD leaves the rarest words, Adam and sign descent lower all; normalising helps less.
"""

from experiments.simpler_transformers.basic_one_layer import problem
from experiments.small import small
from optexp_jax.grid import experiments_over
from optexp_jax.launch.cli import main
from optexp_jax.optim import SGD, Adam, LearningRate, NormalizedGD, SignDescent

optimizers = [
    SGD(LearningRate(-1)),
    SGD(LearningRate("-3/2"), momentum=0.9),
    Adam(LearningRate(-4), beta1=0.0),
    Adam(LearningRate("-7/2")),
    NormalizedGD(LearningRate(0)),
    NormalizedGD(LearningRate(-1), momentum=0.9),
    SignDescent(LearningRate("-7/2")),
    SignDescent(LearningRate(-5), momentum=0.9),
]

experiments = experiments_over(
    optimizers,
    problem,
    group="TransformerEncoder_TinyPTB_FB_Width_EmbDim_1200_perclass_smaller",
    epochs=500,
    per_class=True,
)

if __name__ == "__main__":
    main(experiments, slurm="v100_8h", small=small)
