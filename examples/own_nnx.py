"""A Flax NNX model with arrays, a loss and a metric of your own: run it with `--local`."""

from flax import nnx
from jax import nn
from sklearn.datasets import load_digits

from optexp_jax import Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.datasets import ArrayDataset
from optexp_jax.grid import experiments_over, grid
from optexp_jax.losses import cross_entropy, loss
from optexp_jax.metrics import metric
from optexp_jax.models import Nnx
from optexp_jax.optim import Adam, Muon


class Net(nnx.Module):
    def __init__(self, inputs, outputs, *, rngs):
        self.mlp = nnx.Linear(inputs, 32, rngs=rngs)
        self.head = nnx.Linear(32, outputs, rngs=rngs)

    def __call__(self, inputs):
        return self.head(nnx.relu(self.mlp(inputs)))


@loss("SmoothedLoss")
def smoothed(logits, labels):
    return cross_entropy(logits, labels) - 0.1 * (labels >= 0) * nn.log_softmax(logits).mean(-1)


@metric("Entropy")
def entropy(logits, labels):
    return (labels >= 0) * -(nn.softmax(logits) * nn.log_softmax(logits)).sum(-1)


inputs, labels = load_digits(return_X_y=True)
data = ArrayDataset("my-digits", inputs / 16, labels)
problem = Problem(Nnx(Net, {"inputs": 64, "outputs": 10}), data, smoothed)
optimizers = [make for kind in (Adam, Muon) for make in grid(kind, learning_rate=lr_grid(-3, -1))]
main(experiments_over(optimizers, problem, group="own-nnx", steps=200, metrics=(entropy,)))
