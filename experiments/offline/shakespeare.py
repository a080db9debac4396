"""A bigram model of the works of Shakespeare: words have a heavy tail.

Softmax regression from the word before, the smallest model of language, on the 2,000 most frequent
words, in mini-batches of 64 sequences of 64 words. Training losses are measured on 256 sequences.

Figure: none; as 12
Command: python -m experiments.offline.shakespeare --local
         python -m experiments.offline.shakespeare --plot --perclass
Time: 3 minutes on two cores.
Expected: gradient descent fits the most frequent words and leaves the
rarest tenth of the text above its loss at the start (7.9, from 7.6); Adam lowers it (7.4), and ends
lower overall (4.1, to 4.5). At --scale small, with 1,000 words, Adam also ends lower for every
group, but neither is below the start for the rarest. Larger learning rates than these end higher.
"""

from experiments.small import small
from optexp_jax import MiniBatch, Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.datasets import Shakespeare, Words
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear, Zeros
from optexp_jax.optim import SGD, Adam, SignDescent

dataset = Shakespeare(tokens=Words(2000), evaluated=256)
model = Linear(dataset.vocabulary, dataset.num_classes, use_bias=False, init_values=Zeros())
problem = Problem(model, dataset, CrossEntropy(), MiniBatch(64))

optimizers = [
    *over_rates(SGD, lr_grid(1, 2, density=1), momentum=0.9),
    *over_rates(Adam, lr_grid(-2, -1, density=1)),
    *over_rates(SignDescent, lr_grid(-4, -3, density=1), momentum=0.9),
]

experiments = experiments_over(
    optimizers, problem, group="Bigram_Shakespeare", steps=400, eval_every=20, per_class=True
)
resources = "two_cores"
seconds = 20  # of each run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
