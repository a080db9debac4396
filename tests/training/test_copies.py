"""The compiled step on a CPU keeps one copy of parameters and moments, and updates it in place."""

import dataclasses
import re
from pathlib import Path

import jax
import numpy as np
import pytest

from benchmarks.families import FAMILIES
from optexp_jax import Experiment, LearningRate, Problem
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, SignDescent
from optexp_jax.training.pack import Pack
from optexp_jax.training.program import precision_of
from optexp_jax.training.resident import ResidentProgram

RATE = LearningRate(-2)
DATASET = RandomHeavyTailedLabels(size=5, seed=0)
KERNEL = f"f32[{DATASET.num_inputs},{DATASET.num_classes}]"
# Lion is not among them: its step and its new moment both need the old one, so XLA keeps a copy.
OPTIMIZERS = {
    "gd": SGD(RATE),
    "momentum": SGD(RATE, momentum=0.9),
    "adam": Adam(RATE),
    "sign": SignDescent(RATE, momentum=0.9),
}
MARKED = [k if k == "adam" else pytest.param(k, marks=pytest.mark.slow) for k in OPTIMIZERS]


@pytest.mark.parametrize("runs", [1, 2])
@pytest.mark.parametrize("optimizer", MARKED)
def test_a_chunk_copies_no_matrix(optimizer, runs):
    problem = Problem(Linear(DATASET.num_inputs, DATASET.num_classes), DATASET, CrossEntropy())
    run = Experiment(problem, OPTIMIZERS[optimizer], group="copies", steps=10, per_class=True)
    _, text = compiled(run, runs)
    assert f"{KERNEL}{{1,0}}" in text
    copied = re.findall(rf"{re.escape(KERNEL)}\S* copy\((%[\w.]+)\)", text)
    # A gradient whose columns are classes is turned around, which no parameter or moment is.
    assert all(f"{name} = {KERNEL}{{0,1}}" in text for name in copied)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["cnn", "transformer1", "ptb"])
def test_a_chunk_of_a_deep_model_copies_no_parameter(family):
    one, text = compiled(FAMILIES[family].experiment("quick", steps=10))
    shapes = {leaf.shape for leaf in jax.tree.leaves(one.params) if leaf.size > 100_000}
    copied = {
        tuple(int(length) for length in axes.split(","))
        for axes in re.findall(r"f32\[([\d,]+)\]\S* copy\(", text)
    }
    assert shapes
    assert not copied & (shapes | {(1, *shape) for shape in shapes})


def compiled(experiment, runs=1):
    """The shapes of a state, and the optimised program of a chunk."""
    seeds = tuple(dataclasses.replace(experiment, seed=seed) for seed in range(runs))
    program = ResidentProgram(Pack(seeds), experiment.problem.dataset.load(Path()))
    one = jax.eval_shape(program._first)
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((runs, *leaf.shape), leaf.dtype), one)
    steps = np.zeros(program.most_steps, np.int32)
    with precision_of(program.pack):
        numbers = (np.zeros(runs, np.uint32), np.int32(runs), np.int32(1), np.bool_(True))
        chunk = program._chunk.lower(shapes, *numbers, steps, steps, program.data)
        return one, chunk.compile().as_text()
