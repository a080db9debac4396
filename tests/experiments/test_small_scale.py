"""The small form of every group: which runs are left, what they take, and that they train."""

import dataclasses
import itertools
import math
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest

from experiments.small import planned, small
from experiments.small.forms import form_of
from experiments.small.pilot import climb, found, searches
from experiments.small.thinned import kind_of, pilot
from optexp_jax.cli.package_main import discover
from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.optim import SGD, Adam, LearningRate
from optexp_jax.runner.display import Silent
from optexp_jax.runner.local import Outcome
from optexp_jax.runner.planning import Planned, seconds_of, within
from optexp_jax.training.loop import train_pack
from optexp_jax.training.pack import Pack

MODULES = discover("experiments")
RUNS = {module: planned(members) for module, members in MODULES.items()}
EVERY = [run for runs in RUNS.values() for run in runs]


def by_optimizer(experiments):
    found = defaultdict(list)
    for experiment in experiments:
        found[experiment.group, kind_of(experiment.optimizer)].append(experiment)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_optimizer_of_every_group_is_left_with_a_few_runs(module):
    paper = by_optimizer(MODULES[module])
    shrunk = by_optimizer(run.experiment for run in RUNS[module])
    assert set(shrunk) == {(f"{group}_small", kind) for group, kind in paper}
    for (group, kind), members in shrunk.items():
        first = paper[group.removesuffix("_small"), kind][0]
        if form_of(first).name is not None:
            assert 1 <= len(members) <= 3
        assert {e.per_class for e in members} == {first.per_class}
        assert {e.problem.loss for e in members} == {first.problem.loss}
        assert {e.problem.l2 for e in members} == {first.problem.l2}
        assert {e.keep_steps for e in members} == {first.keep_steps}
        assert form_of(first).name is None or first.id not in {e.id for e in members}


def test_a_search_has_three_rates_and_a_choice_three_seeds():
    grid = [e for e in small(MODULES["toy_models.balanced_x"]) if isinstance(e.optimizer, Adam)]
    exponents = {e.optimizer.learning_rate.exponent for e in grid if e.optimizer.beta1}
    assert max(exponents) - min(exponents) == 1
    assert {e.seed for e in grid} == {0}
    chosen = small(MODULES["toy_models.balanced_x_perclass"])
    sgd = [e for e in chosen if e.optimizer == chosen[0].optimizer]
    assert [e.seed for e in sgd] == [0, 1, 2]


def test_the_pilot_has_every_family_and_optimizer_that_is_run():
    assert {(family, kind) for family in pilot() for kind in pilot()[family]} >= set(searches())
    for kinds in pilot().values():
        for entry in kinds.values():
            assert Fraction(entry["exponent"]).denominator in (1, 2)
            assert 0 < entry["ms_per_step"] < 1000


@pytest.mark.parametrize("start", [-3, -1, 2])
def test_the_pilot_follows_the_best_step_size_and_tries_new_ones_only(start):
    tried = [set()]

    def evaluate(exponents):
        tried.append(set(exponents))
        return min(exponents, key=lambda x: abs(x - Fraction(-1, 2)))

    assert climb(Fraction(start), evaluate) == Fraction(-1, 2)
    assert all(before < after for before, after in itertools.pairwise(tried))
    assert {-1, Fraction(-1, 2), 0} <= tried[-1]


def test_a_stopped_pilot_ends(monkeypatch, tmp_path):
    calls = []

    def stopped(runs, settings, **kwargs):
        calls.append(runs)
        return Outcome(stopped=15)

    monkeypatch.setattr("experiments.small.pilot.run_local", stopped)
    with pytest.raises(SystemExit, match="143"):
        found(next(iter(searches().values())), Settings(workspace=tmp_path), Silent())
    assert len(calls) == 1


def test_all_of_it_takes_at_most_ninety_minutes():
    seconds = seconds_of(EVERY)
    assert seconds is not None
    assert seconds <= 90 * 60


def test_a_family_without_a_small_form_is_named(monkeypatch):
    monkeypatch.setattr("experiments.small.forms._FORMS", {})
    with pytest.raises(OptexpError, match=r"group 'TEnc_standard.*' has no small form"):
        small(MODULES["imbalance.PTB"])


# ---------------------------------------------------------------------------- budgets


def fake(group, seed, seconds, per_class=False, rate=0):
    experiment = dataclasses.replace(
        MODULES["linreg"][0], group=group, seed=seed, per_class=per_class,
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


# ---------------------------------------------------------------------------- that they train

FAMILIES = {}
for _members in MODULES.values():
    _problem = form_of(_members[0]).problem
    _parts = (_problem.model, _problem.dataset, _problem.batching)
    FAMILIES.setdefault(", ".join(type(p).__name__ for p in _parts), small(_members[:1])[0])


@pytest.mark.slow
@pytest.mark.usefixtures("quickly_compiled")
@pytest.mark.parametrize("family", FAMILIES)
def test_two_steps_of_every_family(family, tmp_path):
    experiment = dataclasses.replace(FAMILIES[family], steps=2, eval_every=2, keep_steps=())
    problem = experiment.problem.with_data_seed(0)
    chunks = list(train_pack(Pack((experiment,)), problem.dataset.load(tmp_path)))
    record = chunks[-1].records[0]
    loss = f"tr_{problem.loss.name}"
    losses = np.concatenate([r.table[loss] for c in chunks for r in c.records])
    assert record.step == 2
    assert np.isfinite(losses).all()
    assert losses[0] != losses[-1]
    if problem.loss.name == "CrossEntropyLoss":
        # Text and images start near ln c; random inputs a little above.
        assert losses[0] < 2 * math.log(problem.dataset.num_classes)
