"""Optimizers of one's own whose rate is a constant of what they build."""

import dataclasses
import re

import jax.numpy as jnp
import numpy as np
import optax
import pytest
from errors import refuses
from small_problems import RATES, experiment, random_problem
from training_rows import alone, train

import optexp_jax
from optexp_jax.optim import SGD, DecayModifiers, LearningRate, LinearWarmup, Partitioned
from optexp_jax.training.memory import holds_rate_of
from optexp_jax.training.pack import Pack


@optexp_jax.register("test-built-in")
@dataclasses.dataclass(frozen=True)
class BuiltIn:
    learning_rate: LearningRate

    def build(self):
        return optax.sgd(float(self.learning_rate))


@optexp_jax.register("test-built-in-modified")
@dataclasses.dataclass(frozen=True, repr=False)
class BuiltInModified(DecayModifiers):
    learning_rate: LearningRate

    def transform(self):
        return optax.sgd(float(self.learning_rate))


@optexp_jax.register("test-built-by-hand")
@dataclasses.dataclass(frozen=True)
class ByHand:
    """A transformation that takes no arguments beside those of optax."""

    learning_rate: LearningRate

    def build(self):
        def update(updates, state, params=None):
            return optax.tree.scale(-float(self.learning_rate), updates), state

        return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


def of(kind, **fields):
    return [experiment(random_problem(), kind(rate, **fields), steps=3) for rate in RATES]


@pytest.mark.parametrize("kind", [BuiltIn, BuiltInModified, ByHand])
@pytest.mark.slow
def test_each_of_three_rates_trains_at_its_own(kind, tmp_path):
    found = optexp_jax.run(of(kind), workspace=tmp_path)
    wanted = optexp_jax.run(of(SGD), workspace=tmp_path)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.table, other.table, rtol=1e-6)
    assert len({one.table["tr_CrossEntropyLoss"].iloc[-1] for one in found}) == len(RATES)


def test_a_pack_of_several_rates_is_refused_where_nobody_splits_it():
    runs = of(BuiltIn)
    with refuses("rate-not-in-state", kind="BuiltIn"):
        train(*runs)
    assert alone(runs[0]).status == "done"


def test_only_a_rate_in_the_state_is_data():
    data = random_problem().dataset.load(None)
    assert [holds_rate_of(Pack(tuple(of(k))), data) for k in (SGD, BuiltIn)] == [True, False]


@pytest.mark.parametrize(
    "fields", [{"schedule": LinearWarmup(2)}, {"clip": 1.0}, {"weight_decay": 0.1}]
)
def test_modifiers_say_once_that_they_need_the_rate(fields, tmp_path):
    reason = re.compile(r"^What BuiltInModified\.transform returns holds no [^.\n]*\.[^\n]*\.$")
    with refuses("experiment-failed", reason=reason):
        optexp_jax.run(of(BuiltInModified, **fields), workspace=tmp_path)


def test_parts_say_that_they_need_the_rate():
    tx = Partitioned({"*": BuiltIn(LearningRate(0))}).build()
    with pytest.raises(ValueError, match=r"^What BuiltIn\.transform .*\.$"):
        tx.init({"w": jnp.ones(2)})
