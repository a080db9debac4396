"""The experiments of the paper: every module, group and grid of its code, and all of them whole."""

import importlib.util
import json
import runpy
import tomllib
from pathlib import Path

import pytest

import optexp_jax
from experiments.small import small
from optexp_jax.cli.package_main import discover
from optexp_jax.experiment import Experiment
from optexp_jax.optim import momentum_of

INVENTORY = json.loads((Path(__file__).parents[1] / "reference" / "grids.json").read_text())
PROFILES = tomllib.loads(
    next(Path(optexp_jax.__file__).parent.rglob("profiles.toml")).read_text(encoding="utf-8")
)
MODULES = discover("experiments")
ALL = [e for members in MODULES.values() for e in members]


def described(experiment):
    """What the inventory tells one experiment from another by."""
    optimizer = experiment.optimizer
    momentum = momentum_of(optimizer)
    length = [experiment.epochs, experiment.steps]
    rate = str(optimizer.learning_rate)
    return [experiment.group, type(optimizer).__name__, rate, momentum, experiment.seed, *length]


def length(part):
    return [part["epochs"], part["steps"]]


def test_the_paper_has_38_modules_and_3436_experiments():
    """In 44 groups, one of which is two by mistake (differences.md)."""
    groups = {part["group"] for parts in INVENTORY.values() for part in parts}
    assert len(INVENTORY) == 38
    assert len(groups) == 45
    distinct = {e.id for name in INVENTORY for e in MODULES[name]}
    assert len(distinct) == 3436


@pytest.mark.parametrize("module", INVENTORY)
def test_a_module_has_exactly_the_runs_of_the_paper(module):
    expected = [
        [part["group"], grid["optimizer"], rate, grid["momentum"], seed, *length(part)]
        for part in INVENTORY[module]
        for grid in part["grid"]
        for rate, seeds in grid["seeds"].items()
        for seed in seeds
    ]  # fmt: skip
    assert sorted(map(str, map(described, MODULES[module]))) == sorted(map(str, expected))
    for part in INVENTORY[module]:
        mine = [e for e in MODULES[module] if e.group == part["group"]]
        assert {e.per_class for e in mine} == {part["per_class"]}
        assert {e.eval_every for e in mine} >= {part["eval_every"]}
        assert {type(e.problem.model).__name__ for e in mine} == {part["model"]}
        assert {type(e.problem.dataset).__name__ for e in mine} == {part["dataset"]}
        assert {getattr(e.problem.loss, "power", None) for e in mine} == {part["power"]}


def test_every_experiment_has_an_id_of_its_own_within_its_group():
    keys = [(e.group, e.id) for e in ALL]
    assert len(set(keys)) == len(keys)


def test_every_experiment_comes_back_from_its_definition():
    for experiment in {(e.group, e.id): e for e in ALL}.values():
        again = Experiment.from_json(experiment.to_json())
        assert again == experiment
        assert repr(again) == repr(experiment)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_hands_its_list_to_the_command_line(module, monkeypatch):
    handed = []
    monkeypatch.setattr(
        "optexp_jax.cli.main", lambda *values, **named: handed.append((values, named))
    )
    origin = importlib.util.find_spec(f"experiments.{module}").origin
    found = runpy.run_path(origin, run_name="__main__")
    named = {name: found[name] for name in ("wandb_project", "seconds") if name in found}
    assert handed == [((found["experiments"], found["resources"], small), named)]
    assert found["resources"] in PROFILES
