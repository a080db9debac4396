"""The compiled step on a CPU keeps one copy of parameters and moments, and updates it in place."""

import dataclasses
import re

import jax
import numpy as np
import pytest

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
    text = compiled(OPTIMIZERS[optimizer], runs)
    assert f"{KERNEL}{{1,0}}" in text
    assert not re.findall(rf"{re.escape(KERNEL)}\S* copy\(.*", text)


def compiled(optimizer, runs):
    problem = Problem(Linear(DATASET.num_inputs, DATASET.num_classes), DATASET, CrossEntropy())
    experiment = Experiment(problem, optimizer, group="copies", steps=10, per_class=True)
    seeds = tuple(dataclasses.replace(experiment, seed=seed) for seed in range(runs))
    program = ResidentProgram(Pack(seeds), DATASET.load(None))
    one = jax.eval_shape(program._first)
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((runs, *leaf.shape), leaf.dtype), one)
    steps = np.zeros(program.most_steps, np.int32)
    with precision_of(program.pack):
        numbers = (np.zeros(runs, np.uint32), np.int32(runs), np.int32(1), np.bool_(True))
        chunk = program._chunk.lower(shapes, *numbers, steps, steps, program.data)
        return chunk.compile().as_text()
