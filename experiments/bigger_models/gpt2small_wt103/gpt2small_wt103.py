"""GPT2-Small on WikiText-103 for 5,000 steps: the search of learning rates.

Blocks normalise the residual stream, as in the paper's code; every optimizer has batches of 512
sequences of 1,024 tokens. Training losses are measured on 2,048 sequences, always the same.

Figure: none; it chose the learning rates of figure 1.
Command: python -m experiments.bigger_models.gpt2small_wt103.gpt2small_wt103 --local
Time: a day for each run on one H100, a third of what the paper gives for 15,000 steps.
Expected: the best learning rates are near 10^-2 for SGD and 10^-9/2 for Adam, which ends lower.
"""

from experiments.small import small
from optexp_jax import LearningRate, MiniBatch, Problem
from optexp_jax.cli import main
from optexp_jax.datasets import WikiText103
from optexp_jax.grid import coarse_to_fine, experiments_of
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import GPT
from optexp_jax.optim import SGD, Adam, AdamW

dataset = WikiText103(evaluated=2048)
model = GPT(dataset.vocabulary, dataset.num_classes)
problem = Problem(model, dataset, CrossEntropy(), MiniBatch(512, shuffle=False))

two = {"seeds": (0, 1), "coarse_seeds": (0, 1)}
decay = {"beta2": 0.95, "weight_decay": 0.01, "split_decay": True}

sgd = coarse_to_fine(SGD, (-4, -1), (-4, -1), **two, momentum=0.9)
adam = [
    *coarse_to_fine(Adam, (-7, -1), (-7, -4), **two),
    (Adam(LearningRate(0)), 0),
    *coarse_to_fine(AdamW, (-7, 0), (-7, -4), **two, **decay),
]

experiments = [
    *experiments_of(sgd, problem, group="gpt_test", steps=5000, eval_every=100),
    *experiments_of(adam, problem, group="gpt_test", steps=5000, eval_every=50),
]
resources = "a100_48h"
wandb_project = "optexp-gpt2"

if __name__ == "__main__":
    main(experiments, resources, small, wandb_project=wandb_project)
