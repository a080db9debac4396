"""Problems of a few examples, and models with modes."""

import dataclasses

import flax.linen as nn
import jax.numpy as jnp
from training_rows import load

import optexp_jax
from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.datasets import HeavyTailedOneHot, RandomHeavyTailedLabels
from optexp_jax.losses import CrossEntropy, SquaredLoss
from optexp_jax.models import Linear, Zeros
from optexp_jax.models.functional import functional
from optexp_jax.optim import SGD, Adam, Cosine, LearningRate
from optexp_jax.training.batches import named_key

ONE_HOT = HeavyTailedOneHot(start_examples=8, base=2)
RANDOM = RandomHeavyTailedLabels(size=3, seed=0)
RATES = tuple(LearningRate(e) for e in (-2, -1, 0))


@optexp_jax.register("test-training-dropout")
class DropoutNet(nn.Module):
    num_classes: int
    rate: float = 0.5

    @nn.compact
    def __call__(self, inputs, train: bool = False):
        hidden = nn.relu(nn.Dense(8)(inputs))
        return nn.Dense(self.num_classes)(nn.Dropout(self.rate)(hidden, deterministic=not train))


@optexp_jax.register("test-training-batchnorm")
class BatchNormNet(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, inputs, train: bool = False):
        hidden = nn.BatchNorm(use_running_average=not train, momentum=0.5)(nn.Dense(8)(inputs))
        return nn.Dense(self.num_classes)(hidden)


@optexp_jax.register("test-training-frozen")
class HalfFrozen(nn.Module):
    num_classes: int

    def trainable(self, path):
        return not path.startswith("first/")

    @nn.compact
    def __call__(self, inputs):
        hidden = nn.relu(nn.Dense(8, name="first")(inputs))
        return nn.Dense(self.num_classes, name="second")(hidden)


def one_hot_problem(dataset=ONE_HOT, **changes):
    model = Linear(dataset.num_inputs, dataset.num_classes, use_bias=False, init_values=Zeros())
    return Problem(model, dataset, changes.pop("loss", SquaredLoss()), **changes)


def random_problem(model=None, loss=None, **changes):
    model = model or Linear(RANDOM.num_inputs, RANDOM.num_classes)
    return Problem(model, RANDOM, loss or CrossEntropy(), **changes)


def experiment(problem, optimizer=None, steps=7, **changes):
    optimizer = optimizer or SGD(LearningRate(-1))
    return Experiment(problem, optimizer, "test", steps=steps, per_class=True, **changes)


def sweep(one, rates=RATES):
    """The experiment at several learning rates."""
    replaced = (dataclasses.replace(one.optimizer, learning_rate=rate) for rate in rates)
    return tuple(dataclasses.replace(one, optimizer=optimizer) for optimizer in replaced)


BITWISE = {
    "full batch": experiment(random_problem(), Adam(LearningRate(-2)), steps=9),
    "mini-batch": experiment(
        random_problem(batching=MiniBatch(7)), SGD(LearningRate(-1), momentum=0.9), steps=9
    ),
    "dropout": experiment(
        random_problem(DropoutNet(RANDOM.num_classes), batching=MiniBatch(7)),
        Adam(LearningRate(-2)),
        steps=9,
    ),
    "schedule": experiment(
        random_problem(batching=MiniBatch(7)),
        Adam(LearningRate(-2), schedule=Cosine(warmup="30%"), clip=0.5, weight_decay=0.1),
        steps=9,
    ),
}


def initial_parameters(one):
    data = load(one)
    model = functional(one.problem.model)
    params, state = model.init(named_key(one.seed, "params"), jnp.asarray(data.train.inputs[:1]))
    return params, state
