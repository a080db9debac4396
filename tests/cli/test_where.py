"""Choosing runs by the values of any field."""

import optax
import pytest
from errors import refuses

from optexp_jax import Experiment, LearningRate, MiniBatch, Problem
from optexp_jax.cli.where import filtered
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, AdamW, Optax

DATASET = HeavyTailedOneHot(4, 2)
FULL = Problem(Linear(7, 7), DATASET, SquaredLoss())
SMALL = Problem(Linear(7, 7, use_bias=False), DATASET, SquaredLoss(), MiniBatch(64))


def run(optimizer, problem=FULL, **fields):
    return Experiment(problem, optimizer, **{"group": "a", "steps": 3} | fields)


RUNS = [
    run(SGD("10^-1", 0.9)),
    run(SGD("0.03"), SMALL),
    run(Adam("10^-2", beta2=0.99), seed=1),
    run(Adam("10^-2"), SMALL, seed=1),
    run(AdamW("10^-2", weight_decay=0.1, split_decay=True), SMALL),
    run(Optax("Lion", optax.lion, "10^-4", b1=0.95), steps=4),
]


@pytest.mark.parametrize(
    ("conditions", "places"),
    [
        ([], [0, 1, 2, 3, 4, 5]),
        (["b1=0.95"], [5]),  # an argument of the factory
        (["optimizer=lion"], [5]),
        (["beta2=0.99"], [2]),
        (["beta2=.990"], [2]),
        (["momentum=0.9"], [0, 2, 3, 4]),  # as the column of a report
        (["learning_rate=0.01"], [2, 3, 4]),
        (["learning_rate=3e-2"], [1]),
        (["learning_rate=10^-1"], [0]),
        (["batching.size=64"], [1, 3, 4]),
        (["batching=FullBatch"], [0, 2, 5]),
        (["optimizer=Adam"], [2, 3]),
        (["problem.model.use_bias=false"], [1, 3, 4]),
        (["model.use_bias=True"], [0, 2, 5]),
        ([" seed = 1 ", "batching=minibatch"], [3]),
        (["weight_decay=1e-1"], [4]),
        (["epochs=none"], [0, 1, 2, 3, 4, 5]),
    ],
)
def test_runs_that_have_a_value(conditions, places):
    assert filtered(RUNS, conditions) == [RUNS[i] for i in places]


def test_what_is_no_condition_and_what_no_run_has():
    for condition in ("beta2", "=3", "beta2=", ""):
        with refuses("no-condition", condition=condition):
            filtered(RUNS, [condition])
    with refuses("no-such-field", field="beta3"):
        filtered(RUNS, ["beta3=1"])
    with refuses("no-such-field", field="batching.is_full"):  # no field: it is computed
        filtered(RUNS, ["batching.is_full=True"])
    with refuses("no-such-value", field="beta2", value="0.5", known=("0.99", "0.999")):
        filtered(RUNS, ["beta2=0.5"])
    with refuses("no-such-value", known=("10^-1", "0.03", "10^-2", "10^-4")):
        filtered(RUNS, ["learning_rate=fast"])
    assert LearningRate("0.03") == RUNS[1].optimizer.learning_rate
