"""The second choice of learning rates, of figures alone: the best among runs without spikes."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.experiment import Experiment
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, LearningRate
from optexp_jax.problem import Problem
from optexp_jax.results.load import Results
from optexp_jax.results.selection import best_runs, method_of
from optexp_jax.results.spikes import best_without_spikes, has_spikes, largest_rise

DATASET = HeavyTailedOneHot(10)
PROBLEM = Problem(Linear(11, 11), DATASET, SquaredLoss())
COUNTS = np.array([10, *[1] * 10])
CALM, SPIKY = [4.0, 3.0, 3.9, 2.0], [4.0, 3.0, 4.1, 0.5]


def a_run(rate, losses, optimizer=SGD, seed=0, status="done", by_class=None):
    experiment = Experiment(
        PROBLEM, optimizer(LearningRate(rate)), group="test", seed=seed, steps=3
    )
    rows = np.arange(len(losses))
    table = pd.DataFrame({"step": rows, "epoch": rows, "tr_SquaredLoss": losses})
    arrays = {} if by_class is None else {"tr_SquaredLossPerClass": np.array(by_class)}
    return Results(experiment, status, table, arrays, rows, COUNTS, {})


@pytest.mark.parametrize(
    ("losses", "rise"),
    [
        ([4.0, 3.0, 2.0], 0.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5),
        ([4.0, 5.0, 6.0, 7.0], 0.25),  # a slow rise is no spike, however far it goes
        ([4.0, 3.0, math.inf], math.inf),
        ([4.0, math.nan], math.inf),
        ([4.0], 0.0),
        ([], 0.0),
    ],
)
def test_the_largest_rise_is_from_row_to_row_in_parts_of_the_start(losses, rise):
    assert largest_rise(np.array(losses)) == rise


def test_a_group_without_examples_does_not_rise():
    losses = np.array([[4.0, math.nan], [5.0, math.nan]])
    assert largest_rise(losses) == 0.25
    assert largest_rise(losses[:, 1:]) == 0.0


def test_a_run_has_spikes_up_to_a_step_or_not():
    assert not has_spikes(a_run(0, CALM))
    assert has_spikes(a_run(0, SPIKY))
    assert not has_spikes(a_run(0, SPIKY), step=1)
    assert not has_spikes(a_run(0, SPIKY), share=0.3)
    assert not has_spikes(a_run(0, []))


def test_a_group_that_jumps_is_a_spike_although_all_classes_fall():
    by_class = [[4.0, *[4.0] * 10], [1.0, *[4.0] * 10], [3.0, *[1.0] * 10], [2.0, *[1.0] * 10]]
    run = a_run(0, [4.0, 2.5, 2.0, 1.5], by_class=by_class)
    assert has_spikes(run)
    assert not has_spikes(run, step=1)


def test_the_best_without_spikes_is_not_the_best_of_all():
    runs = [a_run(-2, [4.0, 3.9, 3.8, 3.7]), a_run(-1, CALM), a_run(0, SPIKY)]
    found, spiky = best_without_spikes(runs)
    ((method, (run,)),) = found.items()
    assert str(run.experiment.optimizer.learning_rate) == "10^-1"
    assert method == method_of(run.experiment.optimizer)
    assert spiky == []
    assert str(best_runs(runs)[method][0].experiment.optimizer.learning_rate) == "10^0"


def test_a_rate_of_which_one_seed_has_spikes_is_left_out():
    runs = [a_run(0, CALM, seed=0), a_run(0, SPIKY, seed=1), a_run(-1, [4.0, 3.9, 3.8, 3.7])]
    ((run,),) = best_without_spikes(runs)[0].values()
    assert str(run.experiment.optimizer.learning_rate) == "10^-1"


def test_where_all_have_spikes_the_best_of_all_stands_and_is_named():
    runs = [a_run(-2, CALM, Adam), a_run(-1, SPIKY), a_run(0, [4.0, 3.0, 4.5, 0.1])]
    found, spiky = best_without_spikes(runs)
    assert [type(method) for method in found] == [Adam, SGD]
    assert [str(of[0].experiment.optimizer.learning_rate) for of in found.values()] == [
        "10^-2",
        "10^0",
    ]
    assert spiky == [method_of(SGD(LearningRate(0)))]


def test_runs_that_are_not_finished_have_no_say():
    running = dataclasses.replace(a_run(0, SPIKY[:2]), status="running")
    ((run,),) = best_without_spikes([a_run(-1, CALM), running])[0].values()
    assert run.experiment.optimizer.learning_rate == LearningRate(-1)
