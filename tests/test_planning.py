"""What fits into a time, and what is taken first."""

import dataclasses

from experiments.linreg import experiments
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.runner.planning import Planned, seconds_of, within


def fake(group, seed, seconds, per_class=False, rate=0):
    experiment = dataclasses.replace(
        experiments[0], group=group, seed=seed, per_class=per_class,
        optimizer=SGD(LearningRate(rate)),
    )  # fmt: skip
    return Planned(experiment, seconds)


GRID = [fake("grid", 0, 20, rate=r) for r in (-1, 0, 1)]
CLASSES = [fake("classes", seed, 60, True, rate) for seed in (0, 1) for rate in (0, 1)]


def test_classes_come_before_grids_and_first_seeds_before_others():
    runs = [*GRID, *CLASSES]
    assert within(runs, 5.1) == runs
    assert within(runs, 5) == runs
    assert within(runs, 4.5) == CLASSES
    assert within(runs, 3) == [*GRID, *CLASSES[:2]]
    assert within(runs, 2) == CLASSES[:2]


def test_a_group_is_taken_whole_or_not_at_all():
    assert within(GRID, 0.9) == []
    assert within([*GRID, Planned(GRID[0].experiment)], 1) == [*GRID, Planned(GRID[0].experiment)]


def test_an_unknown_time_makes_the_sum_unknown():
    assert seconds_of(GRID) == 60
    assert seconds_of([*GRID, Planned(GRID[0].experiment)]) is None
    assert seconds_of([]) == 0
