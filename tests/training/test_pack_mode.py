"""Runs side by side on a GPU, one after the other on a CPU or where there are convolutions."""

import dataclasses

import pytest
from small_problems import BITWISE, experiment, random_problem, sweep
from training_rows import load

from benchmarks.families import FAMILIES
from optexp_jax import Experiment, Problem
from optexp_jax.backend import use_form
from optexp_jax.datasets import PatternImages
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import CNN
from optexp_jax.optim import SGD
from optexp_jax.training.memory import shapes_of
from optexp_jax.training.pack import Pack
from optexp_jax.training.pack_mode import in_mode


def modes(pack, data, mode="auto"):
    return [(part.mode, len(part.experiments)) for part in in_mode(pack, data, mode)]


def test_auto_is_one_after_the_other_on_a_cpu_and_side_by_side_on_a_gpu():
    pack = Pack(sweep(BITWISE["full batch"]))
    data = load(pack.experiments[0])
    assert modes(pack, data) == [("map", 3)]
    with use_form("gpu"):
        assert modes(pack, data) == [("vmap", 3)]
        assert modes(pack, data, "map") == [("map", 3)]
        assert modes(dataclasses.replace(pack, experiments=pack.experiments[:1]), data) == [
            ("map", 1)
        ]
    assert modes(pack, data, "vmap") == [("vmap", 3)]


def test_runs_side_by_side_share_a_seed():
    one = experiment(random_problem())
    runs = [dataclasses.replace(r, seed=seed) for seed in (0, 1) for r in sweep(one)]
    with use_form("gpu"):
        assert modes(Pack(tuple(runs)), load(one)) == [("vmap", 3)] * 2


@pytest.mark.parametrize("family", ["linear", "transformer1", "gpt"])
def test_models_of_products_are_side_by_side_on_a_gpu(family):
    pack = Pack(sweep(FAMILIES[family].experiment("tiny")))
    data = load(pack.experiments[0])
    assert modes(pack, data) == [("map", 3)]
    with use_form("gpu"):
        assert modes(pack, data) == [("vmap", 3)]


def test_convolutions_are_never_side_by_side_unless_asked():
    dataset = PatternImages()
    model = CNN(dataset.num_classes)
    problem = Problem(model, dataset, CrossEntropy())
    pack = Pack(sweep(Experiment(problem, SGD("10^-2"), "modes", steps=1)))
    data = shapes_of(pack.experiments[0])
    with use_form("gpu"):
        assert modes(pack, data) == [("map", 3)]
        assert modes(pack, data, "vmap") == [("vmap", 3)]
