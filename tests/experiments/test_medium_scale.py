"""The medium form: which groups have one, what is searched, what it takes, that it is drawn."""

import dataclasses
from collections import defaultdict

import optax
import pytest
from errors import refuses

from experiments.bigger_models.gpt2small_wt103 import gpt2small_wt103_with_class_stats_long as gpt
from experiments.small import planned_medium, small
from experiments.small.medium import families, longer
from experiments.small.rates import SEEDS
from optexp_jax.cli.package_main import discover
from optexp_jax.forms import SmallForm, plain_group, scale_of
from optexp_jax.grid import method_name
from optexp_jax.optim import SGD, Adam, Optax
from optexp_jax.runner.planning import seconds_of
from plots import beyond
from plots.figures import FIGURES
from plots.runs import Runs

BEYOND = {f"beyond.{name}": members for name, members in discover("experiments.beyond").items()}
MODULES = discover("experiments") | BEYOND
RUNS = {module: runs for module, members in MODULES.items() if (runs := planned_medium(members))}
EVERY = [run for runs in RUNS.values() for run in runs]
HOUR = 3600


def test_every_form_is_of_a_group_that_is_declared():
    declared = {e.group for members in MODULES.values() for e in members}
    assert families().keys() <= declared
    assert {plain_group(run.experiment.group) for run in EVERY} == families().keys()
    assert {scale_of(run.experiment.group) for run in EVERY} == {"medium"}


def test_each_method_is_searched_at_three_rates_with_three_seeds():
    found = defaultdict(set)
    for run in EVERY:
        e = run.experiment
        found[e.group, method_name(e.optimizer)].add((e.optimizer.learning_rate.exponent, e.seed))
    for runs in found.values():
        rates = {rate for rate, _ in runs}
        assert runs == {(rate, seed) for rate in rates for seed in SEEDS}
        assert len(rates) >= 3


def test_no_run_is_one_of_another_scale():
    others = {e.id for members in MODULES.values() for e in (*members, *small(members))}
    for runs in RUNS.values():  # figures B4 and B5 have some runs in common
        ids = [run.experiment.id for run in runs]
        assert len(set(ids)) == len(ids)
    # Of figure B7 the first seed is that of the other scales.
    ids = {r.experiment.id for m, runs in RUNS.items() if m != "beyond.exponent" for r in runs}
    assert not others & ids


def test_a_figure_takes_two_hours_and_all_of_them_ten():
    assert (seconds_of(EVERY) or 11 * HOUR) <= 10 * HOUR
    for figure in (*FIGURES, *beyond.FIGURES):
        runs = [run for module in figure.modules for run in RUNS.get(module, [])]
        assert (seconds_of(runs) or 0.0) <= 2 * HOUR


def test_what_the_paper_fixes_stays():
    for module, runs in RUNS.items():
        paper = {e.group: e for e in MODULES[module]}
        for run in runs:
            first = paper[plain_group(run.experiment.group)]
            for field in ("loss", "l2"):
                assert getattr(run.experiment.problem, field) == getattr(first.problem, field)
            assert run.experiment.keep_steps == first.keep_steps
            assert run.experiment.per_class == first.per_class


def test_figure_1_reads_all_of_shakespeare():
    problem = RUNS["bigger_models.gpt2small_wt103.gpt2small_wt103_with_class_stats_long"][
        0
    ].experiment.problem
    assert problem.dataset.num_classes == 8000
    assert (problem.model.depth, problem.model.width, problem.model.dropout) == (2, 64, 0.0)
    assert problem.batching.size * problem.dataset.layout.length == 4096


def test_methods_without_rates_are_left_out_and_your_own_run_at_theirs():
    own = Optax("mine", optax.sgd, learning_rate="10^-1")
    added = dataclasses.replace(gpt.experiments[0], optimizer=own, seed=7)
    runs = [run.experiment for run in planned_medium([*gpt.experiments, added])]
    assert {type(e.optimizer) for e in runs} == {SGD, Adam, Optax}
    assert [(e.optimizer, e.seed) for e in runs if isinstance(e.optimizer, Optax)] == [(own, 7)]


def test_a_group_with_several_problems_keeps_them():
    declared = {e.problem for e in MODULES["beyond.exponent"]}
    assert {run.experiment.problem for run in RUNS["beyond.exponent"]} == declared
    assert len(RUNS["beyond.exponent"]) == len(SEEDS) * len(MODULES["beyond.exponent"])


def test_every_method_beyond_the_paper_has_a_medium_form():
    for module in ("beyond.layers", "beyond.today_text", "beyond.controls"):
        methods = {(e.group, method_name(e.optimizer)) for e in MODULES[module]}
        found = [run.experiment for run in RUNS[module]]
        assert {(plain_group(e.group), method_name(e.optimizer)) for e in found} == methods
        smalls = small(MODULES[module])
        assert {e.steps for e in found} == {3 * e.steps for e in smalls}


def test_a_longer_form_is_the_small_one_with_more_steps():
    experiment = MODULES["toy_models.balanced_x_perclass"][0]
    form = longer(900)(experiment)
    assert form.problem == small([experiment])[0].problem
    assert form.steps == 900
    assert form.rates["SGD + momentum"] == ("-2", "-3/2", "-1")


def test_a_figure_without_a_medium_form_says_so(tmp_path):
    with refuses("no-medium-form", modules=("linreg_perclass",)):
        Runs(tmp_path, "medium").of("linreg_perclass")


@pytest.mark.parametrize("form", [small, SmallForm(planned_medium)])
def test_experiments_without_a_form_have_none(form):
    assert form.at("medium", MODULES["linreg"]) == []
    assert form.at("paper", MODULES["linreg"]) == MODULES["linreg"]


def test_a_figure_of_parts_needs_the_panels_that_have_a_medium_form(tmp_path):
    runs = Runs(tmp_path, "medium")
    by_number = {figure.number: figure for figure in FIGURES}
    assert by_number["20"].needed(runs) == ("vision.barcoded.mnist_and_barcoded_longest_perclass",)
    assert not any("barcoded" in module for module in by_number["25"].needed(runs))
    assert by_number["22"].needed(runs) == ()  # it compares all of its methods
    assert by_number["25"].needed(Runs(tmp_path, "small")) == by_number["25"].modules


def test_the_methods_of_figure_20_are_those_that_it_shows():
    runs = RUNS["vision.barcoded.mnist_and_barcoded_longest_perclass"]
    assert {method_name(run.experiment.optimizer) for run in runs} == {"SGD"}
