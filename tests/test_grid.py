"""Grids are plain lists: every combination once, in order."""

import dataclasses
from fractions import Fraction

import pytest
from errors import refuses
from hypothesis import given
from hypothesis import strategies as st

from optexp_jax.batching import MiniBatch
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.grid import (
    at_best,
    differing_fields,
    experiments_over,
    grid,
    over_rates,
    replace_all,
    replace_in_problem,
    unique,
)
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, AdamW, LearningRate, LineSearchGD, SignDescent, lr_grid
from optexp_jax.problem import Problem

PROBLEM = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), SquaredLoss())
RATES = lr_grid(-2, 0, density=1)


def test_one_optimizer_for_each_rate_in_order():
    optimizers = over_rates(SignDescent, RATES, momentum=0.9)
    assert [o.learning_rate.exponent for o in optimizers] == [
        Fraction(e, 2) for e in (-4, -3, -2, -1, 0)
    ]
    assert {type(o) for o in optimizers} == {SignDescent}
    assert {o.momentum for o in optimizers} == {0.9}


def test_rates_may_be_written_as_text_and_come_from_an_iterator():
    assert over_rates(Adam, iter(["10^-1", "10^-1/2"]), beta1=0) == [
        Adam(LearningRate(-1), 0.0),
        Adam(LearningRate("-1/2"), 0.0),
    ]
    assert over_rates(SGD, []) == []


def test_every_optimizer_with_every_seed_seeds_innermost():
    optimizers = [*over_rates(SGD, RATES[:2]), LineSearchGD()]
    experiments = experiments_over(optimizers, PROBLEM, (0, 1), group="g", steps=5, per_class=True)
    assert [(e.optimizer, e.seed) for e in experiments] == [
        (optimizer, seed) for optimizer in optimizers for seed in (0, 1)
    ]
    assert {(e.problem, e.group, e.steps, e.per_class) for e in experiments} == {
        (PROBLEM, "g", 5, True)
    }


def test_one_seed_unless_told_otherwise():
    (experiment,) = experiments_over([LineSearchGD()], PROBLEM, group="g", epochs=1)
    assert experiment.seed == 0


def test_a_refined_grid_keeps_what_was_run_and_repeats_nothing():
    coarse = over_rates(SGD, lr_grid(-2, 0))
    dense = over_rates(SGD, RATES)
    experiments = experiments_over(coarse + dense, PROBLEM, group="g", steps=5)
    assert len(experiments) == len(RATES)
    assert [e.optimizer for e in experiments[:3]] == coarse


def test_a_wrong_field_is_refused_when_the_grid_is_built():
    with refuses("length-not-given-once"):
        experiments_over([LineSearchGD()], PROBLEM, group="g")
    with pytest.raises(TypeError, match="momentum"):
        over_rates(Adam, RATES, momentum=0.9)


def test_replaced_fields_are_replaced_in_all_and_nothing_else_is():
    before = experiments_over(over_rates(SGD, RATES), PROBLEM, (0, 1), group="g", steps=5)
    after = replace_all(before, group="g_perclass", per_class=True)
    assert {e.group for e in after} == {"g_perclass"}
    assert [dataclasses.replace(e, per_class=False) for e in after] == before
    assert not {e.id for e in after} & {e.id for e in before}
    assert {e.group for e in before} == {"g"}


def test_fields_of_the_problem_are_replaced_and_nothing_else_is():
    before = experiments_over(over_rates(SGD, RATES), PROBLEM, (0, 1), group="g", steps=5)
    after = replace_in_problem(before, l2=0.5)
    assert {e.problem.l2 for e in after} == {0.5}
    assert replace_in_problem(after, l2=PROBLEM.l2) == before


SEARCH = experiments_over(
    [*over_rates(Adam, RATES, beta2=0.95), *over_rates(Adam, RATES, beta1=0.0)],
    PROBLEM, seeds=(2, 1), group="search", steps=5, eval_every=2,
)  # fmt: skip


def test_a_search_at_its_best_keeps_what_is_not_replaced():
    best = at_best(SEARCH, {"Adam": "-5/2", "Adam + momentum": -3}, group="best", steps=7)
    assert [e.optimizer for e in best] == [
        Adam(LearningRate("-5/2"), beta1=0.0),
        Adam(LearningRate(-3), beta2=0.95),
    ]
    assert {(e.problem, e.group, e.seed, e.steps, e.eval_every) for e in best} == {
        (PROBLEM, "best", 0, 7, 2)
    }


def test_a_method_that_was_not_searched_is_refused():
    with refuses("not-searched", name="SGD", known=("Adam + momentum", "Adam")):
        at_best(SEARCH, {"SGD": 0})


def experiments(seeds_and_groups):
    return [
        e
        for seed, group in seeds_and_groups
        for e in experiments_over([LineSearchGD()], PROBLEM, (seed,), group=group, steps=5)
    ]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), max_size=12))
def test_unique_keeps_the_first_of_each_group_and_id_in_order(pairs):
    kept = unique(experiments(pairs))
    assert [(e.seed, e.group) for e in kept] == list(dict.fromkeys(pairs))
    assert unique(kept) == kept


def test_a_grid_goes_through_every_combination():
    batches = grid(MiniBatch, size=(8, 16))
    problems = grid(
        Problem, model=Linear(7, 7), dataset=PROBLEM.dataset, loss=SquaredLoss(), batching=batches
    )
    optimizers = grid(AdamW, learning_rate=["10^-2", "0.003"], weight_decay=(0.0, 0.1), beta2=0.99)
    every = [
        e
        for problem in problems
        for e in experiments_over(optimizers, problem, seeds=(0, 1), group="a", steps=3)
    ]
    assert len({e.id for e in every}) == len(every) == 16
    assert {o.beta2 for o in optimizers} == {0.99}
    assert [(str(o.learning_rate), o.weight_decay) for o in optimizers] == [
        ("10^-2", 0.0),
        ("10^-2", 0.1),
        ("0.003", 0.0),
        ("0.003", 0.1),
    ]
    assert differing_fields(every) == ["problem.batching.size", "optimizer.weight_decay"]
    assert differing_fields(every[:1]) == []
    mixed = [*every, replace_all(every[:1], optimizer=SGD("10^-1"))[0]]
    assert differing_fields(mixed) == differing_fields(every)  # of another class it has no decay
    assert grid(SGD, learning_rate="10^-1") == [SGD("10^-1")]
    assert grid(SGD, learning_rate=[]) == []
