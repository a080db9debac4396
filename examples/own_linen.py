"""A Flax Linen model, arrays, a loss and a metric of your own: run it with `--local`, `--plot`."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from optexp_jax import Problem, lr_grid, register
from optexp_jax.cli import main
from optexp_jax.datasets import ArrayDataset
from optexp_jax.grid import experiments_over, grid
from optexp_jax.losses import cross_entropy, loss
from optexp_jax.metrics import metric
from optexp_jax.optim import SGD, Adam


@register("two-layers")
class TwoLayers(nn.Module):
    @nn.compact
    def __call__(self, inputs):
        return nn.Dense(20)(nn.tanh(nn.Dense(32)(inputs)))


@loss("FocalLoss")
def focal(logits, labels):
    nats = cross_entropy(logits, labels)
    return (1 - jnp.exp(-nats)) ** 2 * nats


@metric("Confidence")
def confidence(logits, labels):
    return jnp.where(labels >= 0, jnp.exp(-cross_entropy(logits, labels)), 0.0)


rng = np.random.default_rng(0)
labels = rng.zipf(1.5, 2000) % 20  # a heavy tail
inputs = rng.normal(size=(20, 8))[labels] + rng.normal(size=(2000, 8)) / 2
problem = Problem(TwoLayers(), ArrayDataset("clusters", inputs, labels), focal)
optimizers = [*grid(SGD, learning_rate=lr_grid(-1, 1)), *grid(Adam, learning_rate=lr_grid(-3, -1))]
options = {"steps": 200, "per_class": True, "metrics": (confidence,)}
main(experiments_over(optimizers, problem, group="own-linen", **options))
