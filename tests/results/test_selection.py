"""Which learning rate is chosen: one rule, checked on runs small enough to judge by eye."""

import math

import numpy as np
import pandas as pd
import pytest
from errors import refuses

from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.experiment import Experiment
from optexp_jax.losses import SquaredLoss, Weighted
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, AdamW, LearningRate, LineSearchGD, lr_grid
from optexp_jax.problem import Problem
from optexp_jax.results.load import Results
from optexp_jax.results.selection import (
    best_rates,
    best_runs,
    has_diverged,
    is_finished,
    is_stable,
    main_metric,
    method_of,
    score,
    step_of_epoch,
    steps_of_epoch,
    worst_seed,
)

PROBLEM = Problem(Linear(11, 11), HeavyTailedOneHot(10), SquaredLoss())
GD = method_of(SGD(LearningRate(0)))


def a_run(rate, losses, seed=0, status="done", steps=4, problem=PROBLEM, optimizer=SGD):
    """Results of a run that recorded these losses, one per step."""
    optimizer = optimizer(LearningRate(rate)) if optimizer is not LineSearchGD else LineSearchGD()
    experiment = Experiment(problem, optimizer, group="test", seed=seed, steps=steps)
    rows = np.arange(len(losses))
    table = pd.DataFrame({"step": rows, "epoch": rows / 2, "tr_SquaredLoss": losses})
    return Results(
        experiment, status, table if len(losses) else pd.DataFrame(), {}, rows, np.ones(11), {}
    )


def best(*runs, step=None):
    rates = best_rates(runs, step)
    return rates[GD].exponent if GD in rates else None


GOOD = [1.0, 0.8, 0.6, 0.4, 0.2]
BETTER = [1.0, 0.5, 0.3, 0.2, 0.1]
SPIKE = [1.0, 10.5, 0.3, 0.1, 0.01]
NAN = [1.0, 2.0, math.nan]


def test_methods_differ_in_everything_but_the_rate():
    rates = lr_grid(-2, 0, 1)
    optimizers = [make(rate, m) for make in (SGD, Adam) for m in (0.0, 0.9) for rate in rates]
    assert len({method_of(o) for o in optimizers}) == 4
    assert method_of(LineSearchGD(slope=0.1)) == LineSearchGD(slope=0.1)


def test_runs_are_judged_by_the_unweighted_training_loss():
    weighted = Problem(Linear(11, 11), HeavyTailedOneHot(10), Weighted(SquaredLoss()))
    assert main_metric(Experiment(weighted, SGD(LearningRate(0)), "test", steps=1)) == (
        "tr_SquaredLoss"
    )


@pytest.mark.parametrize(
    ("losses", "status", "stable"),
    [
        (GOOD, "done", True),
        ([1.0, 10.0, 0.1], "done", True),
        ([1.0, 10.001, 0.1], "done", False),
        (NAN, "diverged", False),
        (GOOD, "diverged", False),  # of the gradient: the loss is still finite
        ([0.0, 0.0], "done", True),
        ([], "missing", False),
    ],
)
def test_stable_means_at_most_ten_times_the_start(losses, status, stable):
    assert is_stable(a_run(0, losses, status=status)) is stable


def test_the_score_is_the_last_loss_and_infinite_without_one():
    assert score(a_run(0, GOOD)) == 0.2
    assert score(a_run(0, GOOD), step=2) == 0.6
    for losses, status in ((GOOD, "failed"), (GOOD, "running"), (NAN, "diverged"), ([], "missing")):
        assert score(a_run(0, losses, status=status)) == math.inf
    assert score(a_run(0, [1.0, math.nan])) == math.inf
    assert score(a_run(0, [0.3])) == 0.3
    assert score(a_run(0, [])) == math.inf


def test_a_step_makes_runs_as_good_as_shorter_ones():
    late = a_run(0, [1.0, 0.5, 0.4, math.inf], status="diverged")
    assert score(late, step=2) == 0.4
    assert is_stable(late, step=2)
    assert not has_diverged(late, step=2)
    assert score(late, step=3) == math.inf
    running = a_run(0, GOOD[:3], status="running")
    assert [is_finished(running, step) for step in (None, 1, 2, 3)] == [False, True, True, False]
    # A row every second step: the last one up to the step counts.
    sparse = a_run(0, GOOD)
    sparse.table["step"] *= 2
    assert score(sparse, step=5) == 0.6


def test_the_best_rate_has_the_smallest_loss():
    assert best(a_run(-1, GOOD), a_run(0, BETTER)) == 0
    assert best(a_run(-1, [1.0, 0.1, 0.3, 0.3, 0.3]), a_run(0, BETTER)) == 0
    assert best(a_run(-1, [1.0, 0.1, 0.3, 0.3, 0.3]), a_run(0, BETTER), step=1) == -1


def test_of_equal_rates_the_smallest_is_chosen_in_any_order():
    runs = [a_run(rate, GOOD) for rate in (1, -2, 0)]
    assert best(*runs) == best(*runs[::-1]) == -2


def test_the_worst_seed_counts():
    lucky = [a_run(0, BETTER, seed=0), a_run(0, [1.0, 0.9], seed=1)]
    steady = [a_run(-1, GOOD, seed=seed) for seed in (0, 1)]
    assert best(*lucky, *steady) == -1


def test_the_worst_seed_has_the_largest_loss_at_the_step():
    runs = [a_run(0, [1.0, 0.9, 0.1], seed=0), a_run(0, [1.0, 0.5, 0.5], seed=1)]
    assert worst_seed(runs).experiment.seed == 1
    assert worst_seed(runs, step=1).experiment.seed == 0


def test_a_rate_with_fewer_seeds_gains_nothing():
    dense = [a_run(0, [1.0, loss], seed=seed) for seed, loss in enumerate((0.2, 0.5, 0.6))]
    assert best(*dense, a_run(-1, [1.0, 0.3], seed=0)) == 0
    assert best(*dense, a_run(-1, [1.0, 0.1], seed=0)) == -1


def test_without_a_common_seed_the_commonest_decides():
    runs = [a_run(0, [1.0, 0.5], seed=0), a_run(1, [1.0, 0.4], seed=0), a_run(2, BETTER, seed=1)]
    assert best(*runs) == 1


def test_only_stable_rates_compete_where_there_are_any():
    assert best(a_run(-1, GOOD), a_run(0, SPIKE)) == -1
    one_seed_spikes = [a_run(0, BETTER, seed=0), a_run(0, SPIKE, seed=1)]
    assert best(*one_seed_spikes, *(a_run(-1, GOOD, seed=seed) for seed in (0, 1))) == -1
    assert best(a_run(-1, [1.0, 20.0, 0.5]), a_run(0, SPIKE)) == 0


def test_a_rate_that_diverged_is_never_chosen():
    assert best(a_run(-1, GOOD), a_run(0, NAN, status="diverged")) == -1
    assert best(a_run(0, NAN, status="diverged")) is None
    seeds = [a_run(0, BETTER, seed=0), a_run(0, NAN, seed=1, status="diverged")]
    assert best(*seeds, a_run(-1, GOOD, seed=0)) == -1
    assert best(*seeds, a_run(-1, SPIKE, seed=0)) == -1


def test_runs_that_are_not_there_are_not_compared():
    running = a_run(0, BETTER[:3], status="running")
    assert best(a_run(-1, GOOD), running, a_run(1, [], status="missing")) == -1
    assert best(a_run(-1, GOOD), running, step=2) == 0
    assert best(running) is None


def test_methods_are_chosen_apart_and_keep_their_order():
    runs = [
        a_run(-3, GOOD, optimizer=Adam),
        a_run(0, BETTER),
        a_run(0, GOOD, optimizer=LineSearchGD),
    ]
    rates = best_rates(runs)
    assert [type(method) for method in rates] == [Adam, SGD, LineSearchGD]
    assert [str(rate) for rate in rates.values()] == ["10^-3", "10^0", "10^0"]


def test_best_runs_are_the_finished_seeds_of_the_best_rate():
    seeds = [a_run(0, BETTER, seed=seed) for seed in (2, 0)]
    runs = best_runs([*seeds, a_run(0, [1.0], seed=1, status="running"), a_run(-1, GOOD, seed=0)])
    assert [r.experiment.seed for r in runs[GD]] == [0, 2]


def test_runs_of_different_problems_or_lengths_are_refused():
    other = Problem(Linear(11, 11), HeavyTailedOneHot(10), SquaredLoss(), l2=0.1)
    with refuses("different-problems"):
        best_rates([a_run(0, GOOD), a_run(1, GOOD, problem=other)])
    lengths = [a_run(0, GOOD), a_run(1, BETTER[:4], steps=3)]
    with refuses("different-lengths"):
        best_rates(lengths)
    assert best(*lengths, step=3) == 1


def test_an_epoch_has_a_step():
    assert step_of_epoch([a_run(0, [], status="missing"), a_run(0, GOOD)], epoch=1) == 2
    assert step_of_epoch([a_run(0, GOOD[:2])], epoch=1) == 2  # after one step
    with refuses("epoch-of-unknown-length"):
        step_of_epoch([a_run(0, [1.0], status="running")], epoch=1)


def test_an_epoch_has_a_step_in_each_problem():
    slower = Problem(Linear(11, 11), HeavyTailedOneHot(10), SquaredLoss(), l2=0.1)
    sparse = a_run(0, GOOD, problem=slower)
    sparse.table["step"] *= 2
    started = a_run(0, [1.0], status="running")
    assert steps_of_epoch([started, a_run(0, GOOD), sparse, a_run(1, GOOD)], epoch=1) == [2, 4]
    assert steps_of_epoch([a_run(0, GOOD[:2])], epoch=1) == [2]
    with refuses("epoch-of-unknown-length"):
        steps_of_epoch([started], epoch=1)


def decayed(rate, decay, losses, momentum=0.9, **fields):
    def optimizer(rate):
        return AdamW(rate, beta1=momentum, weight_decay=decay)

    return a_run(rate, losses, optimizer=optimizer, **fields)


def test_the_best_run_is_the_best_over_all_tuned_fields():
    runs = [decayed(0, 0.0, GOOD), decayed(-1, 0.1, BETTER), decayed(0, 0.1, SPIKE)]
    ((method, (run,)),) = best_runs(runs).items()
    assert (str(run.experiment.optimizer.learning_rate), method.weight_decay) == ("10^-1", 0.1)
    assert method == method_of(run.experiment.optimizer)


def test_fields_that_were_not_tuned_tell_methods_apart():
    runs = [decayed(0, 0.0, GOOD), decayed(-1, 0.1, BETTER), decayed(0, 0.1, GOOD)]
    assert [m.weight_decay for m in best_runs(runs, over=("learning_rate",))] == [0.0, 0.1]
    assert len(best_runs(runs, over=("learning_rate", "weight_decay"))) == 1
    with refuses("unknown-field", field="beta3"):
        best_runs(runs, over=("beta3",))


@pytest.mark.parametrize("over", [None, ("learning_rate", "momentum")])
def test_momentum_is_tuned_and_no_momentum_is_a_method_of_its_own(over):
    runs = [decayed(0, 0.0, losses, m) for m, losses in ((0, GOOD), (0.9, GOOD), (0.99, BETTER))]
    assert [method.beta1 for method in best_runs(runs, over=over)] == [0, 0.99]


def test_settings_are_compared_on_the_seeds_that_all_have():
    runs = [decayed(0, 0.0, GOOD, seed=seed) for seed in (0, 1)]
    runs += [decayed(0, 0.1, BETTER, seed=1), decayed(0, 0.2, [1.0, 0.1, 0.1, 0.1, 0.0], seed=2)]
    (method,) = best_runs(runs[:3])
    assert method.weight_decay == 0.1


def test_best_runs_are_shown_as_a_table():
    runs = best_runs([a_run(0, GOOD, seed=0), a_run(0, [*BETTER[:4], 0.15], seed=1)])
    (row,) = runs.table().to_dict("records")
    assert (row["optimizer"], row["learning_rate"], row["momentum"]) == ("SGD", "10^0", 0.0)
    assert (row["runs"], row["best_loss"], row["final_loss"]) == (2, 0.2, 0.2)
    assert "final_loss" in str(runs)
    assert "<table" in runs._repr_html_()
