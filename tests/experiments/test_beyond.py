"""What the paper did not run: counted apart, whole, and small enough for two cores."""

import dataclasses
import importlib
import importlib.util
import runpy

import numpy as np
import pytest

from experiments.beyond import controls
from experiments.small import planned, small
from experiments.small.form import form_of
from optexp_jax.cli import package_main
from optexp_jax.cli.package_main import discover
from optexp_jax.experiment import Experiment
from optexp_jax.optim import Muon
from optexp_jax.runner.planning import seconds_of
from optexp_jax.training.loop import train_pack
from optexp_jax.training.pack import Pack
from plots.beyond import CLAIMS, FIGURES
from plots.figures import FIGURES as OF_PAPER
from tools.make_experiments import described

MODULES = discover("experiments.beyond")
PAPER = discover("experiments")
RUNS = {module: planned(members) for module, members in MODULES.items()}


def test_they_are_counted_apart_from_the_paper():
    assert MODULES
    assert not [name for name in PAPER if name.startswith("beyond")]
    groups = {e.group for members in PAPER.values() for e in members}
    for members in MODULES.values():
        assert {e.group for e in members}.isdisjoint(groups)
        assert all(e.group.startswith("beyond_") for e in members)


@pytest.mark.parametrize("module", MODULES)
def test_every_experiment_has_an_id_of_its_own_and_comes_back_from_its_definition(module):
    members = MODULES[module]
    assert len({e.id for e in members}) == len(members)
    for experiment in members:
        assert Experiment.from_json(experiment.to_json()) == experiment


@pytest.mark.parametrize("module", MODULES)
def test_a_module_hands_its_list_to_the_command_line_and_says_what_it_is(module, monkeypatch):
    handed = []
    monkeypatch.setattr(
        "optexp_jax.cli.main", lambda *values, **named: handed.append((values, named))
    )
    origin = importlib.util.find_spec(f"experiments.beyond.{module}").origin
    found = runpy.run_path(origin, run_name="__main__")
    named = {name: found[name] for name in ("seconds",) if name in found}
    assert handed == [((found["experiments"], found["resources"], small), named)]
    numbers = set(described(found["__doc__"])["Figure"].split(", "))
    assert numbers <= {f.number for f in (*FIGURES, *OF_PAPER)}


@pytest.mark.parametrize("module", MODULES)
def test_a_group_takes_at_most_six_minutes_at_small_scale(module):
    assert seconds_of(RUNS[module]) <= 6 * 60


@pytest.mark.parametrize("module", MODULES)
def test_a_group_that_is_small_as_declared_takes_as_long_at_either_scale(module):
    declared = getattr(importlib.import_module(f"experiments.beyond.{module}"), "seconds", None)
    as_declared = {form_of(e).name is None for e in MODULES[module]}
    assert as_declared == {declared is not None}
    if declared is not None:
        small_scale = seconds_of(RUNS[module])
        assert declared * len(MODULES[module]) == pytest.approx(small_scale, rel=0.1)


def test_all_of_it_takes_at_most_forty_minutes():
    assert seconds_of([run for runs in RUNS.values() for run in runs]) <= 40 * 60


def test_every_figure_has_its_modules_and_every_claim_its_figure():
    of_paper = {f.slower for f in OF_PAPER if f.slower}
    assert of_paper == {"beyond.edge"}
    modules = {m for f in FIGURES for m in f.modules} | of_paper
    assert {f"beyond.{module}" for module in MODULES} == modules
    assert {c.figure for c in CLAIMS} == {f.number for f in FIGURES}
    assert len({(c.figure, c.sentence) for c in CLAIMS}) == len(CLAIMS)


def test_muon_where_it_trains_the_head_is_a_method_of_its_own():
    kinds = {e.optimizer.method_kind for e in MODULES["today_text"] if type(e.optimizer) is Muon}
    assert kinds == {"Muon", "Muon on embedding, head, mlp, other, qk, vo"}


def test_a_decimal_rate_of_sign_descent_stays_as_it_is_declared():
    declared = {e.optimizer for e in MODULES["zipf"]}
    assert {run.experiment.optimizer for run in RUNS["zipf"]} == declared


def test_every_setting_of_the_controls_is_a_group_with_rates_of_its_own():
    groups = {s.group for s in controls.SETTINGS}
    assert len(groups) == len(controls.SETTINGS) == 10
    by_group = {group: [] for group in groups}
    for run in RUNS["controls"]:
        by_group[run.experiment.group.removesuffix("_small")].append(run.experiment)
    for setting in controls.SETTINGS:
        runs = by_group[setting.group]
        assert len(runs) == 6
        assert {e.optimizer.clip is not None for e in runs} == {setting.clip}
        assert {e.optimizer.schedule is not None for e in runs} == {setting.schedule}
        assert {e.problem.model.dropout > 0 for e in runs} == {setting.dropout}
        assert {e.problem.loss.label_smoothing > 0 for e in runs} == {setting.smoothing}


def test_smaller_batches_read_the_text_as_often():
    runs = [r.experiment for r in RUNS["controls"]]
    assert {e.problem.batching.size * e.steps for e in runs} == {16 * 120}
    assert len({e.steps // e.eval_every for e in runs}) == 1


@pytest.mark.slow
def test_they_are_listed_below_the_paper(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        package_main.main("experiments", planned, ["--list"], listed_too=("experiments.beyond",))
    assert ended.value.code == 0
    above, below = capsys.readouterr().out.split("run by python -m experiments.beyond:")
    assert "beyond_zipf" in below
    assert "beyond_" not in above


@pytest.mark.slow
@pytest.mark.usefixtures("quickly_compiled")
@pytest.mark.parametrize("module", MODULES)
def test_two_steps_of_every_module(module, tmp_path):
    first = small(MODULES[module])[0]
    experiment = dataclasses.replace(first, steps=2, eval_every=2)
    problem = experiment.problem.with_data_seed(0)
    chunks = list(train_pack(Pack((experiment,)), problem.dataset.load(tmp_path)))
    losses = [r.table[f"tr_{problem.loss.name}"] for c in chunks for r in c.records]
    found = np.concatenate(losses)
    assert np.isfinite(found).all()
    assert found[0] != found[-1]
    assert form_of(MODULES[module][0]).steps > 2
