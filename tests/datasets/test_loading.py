"""What is promised of a data set is checked when it is loaded, whoever wrote it."""

import dataclasses
from pathlib import Path

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from hypothesis import given
from hypothesis import strategies as st
from wording import is_told

import optexp_jax
from optexp_jax import Experiment, Problem
from optexp_jax.config import Settings
from optexp_jax.datasets import Data, RandomHeavyTailedLabels, Split, counts_of
from optexp_jax.datasets.classes import ByFrequency
from optexp_jax.datasets.loading import checked, loaded
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.runner.local import run_local

CLASSES, INPUTS = 4, 3
LABELS = np.array([0, 0, 1, 2, 3, 3])


@optexp_jax.register("test-loading-own")
@dataclasses.dataclass(frozen=True)
class Own(ByFrequency):
    """A user's data set; its data are those of a function by name."""

    make: str = "sound"
    num_classes = CLASSES
    num_inputs = INPUTS
    input_shape = (INPUTS,)

    def load(self, workspace):
        return MADE[self.make]()


@optexp_jax.register("test-loading-outputs")
class Outputs(nn.Module):
    outputs: int

    @nn.compact
    def __call__(self, inputs):
        return nn.Dense(self.outputs)(inputs)


def data(labels=LABELS, counts=None, inputs=None, **parts):
    inputs = np.zeros((len(labels), INPUTS), np.float32) if inputs is None else inputs
    counts = np.array([2, 1, 1, 2]) if counts is None else counts
    return Data(Split(inputs, labels), counts, **parts)


def changed(index, value, array=LABELS):
    array = array.copy()
    array[index] = value
    return array


BROKEN = {
    "a label above": (
        lambda: data(changed(0, CLASSES)),
        ("label-outside", {"part": "Own.train", "label": 4}),
    ),
    "a label below": (
        lambda: data(changed(0, -2)),
        ("label-outside", {"part": "Own.train", "label": -2}),
    ),
    "float labels": (
        lambda: data(LABELS.astype(np.float32)),
        ("labels-not-integers", {"dtype": np.float32}),
    ),
    "booleans": (lambda: data(LABELS > 0), ("labels-not-integers", {"dtype": np.bool_})),
    "wrapped labels": (
        lambda: data(changed(0, -1).astype(np.uint8)),
        ("label-outside", {"part": "Own.train", "label": 255}),
    ),
    "all padding": (lambda: data(np.full(6, -1), np.zeros(4, int)), ("part-all-padding", {})),
    "short counts": (
        lambda: data(counts=np.array([2, 1, 3])),
        ("class-counts-malformed", {"shape": (3,)}),
    ),
    "float counts": (
        lambda: data(counts=np.array([2.0, 1, 1, 2])),
        ("class-counts-malformed", {"dtype": np.float64}),
    ),
    "permuted counts": (
        lambda: data(counts=np.array([1, 2, 1, 2])),
        ("class-counts-wrong", {"label": 0, "found": 2, "given": 1}),
    ),
    "wrong counts": (
        lambda: data(counts=np.array([2, 1, 1, 9])),
        ("class-counts-wrong", {"label": 3, "found": 2, "given": 9}),
    ),
    "no examples": (
        lambda: data(LABELS[:0], np.zeros(4, int)),
        ("part-empty", {"part": "Own.train"}),
    ),
    "an odd shape": (
        lambda: data(inputs=np.zeros((6, 2))),
        ("input-shape-wrong", {"found": (2,), "promised": (INPUTS,)}),
    ),
    "too few inputs": (
        lambda: data(inputs=np.zeros((5, INPUTS))),
        ("unequal-lengths", {"inputs": 5, "labels": 6}),
    ),
    "NaN": (
        lambda: data(inputs=changed(0, np.nan, np.zeros((6, INPUTS)))),
        ("inputs-not-finite", {"part": "Own.train"}),
    ),
    "infinity, on the device": (
        lambda: data(inputs=jnp.zeros((6, INPUTS)).at[5, 2].set(jnp.inf)),
        ("inputs-not-finite", {"part": "Own.train"}),
    ),
    "text": (lambda: data(inputs=np.full((6, INPUTS), "a")), ("inputs-of-wrong-type", {})),
    "a list": (lambda: data(inputs=[[0.0] * INPUTS] * 6), ("inputs-no-array", {"found": "list"})),
    "a pair": (lambda: (np.zeros((6, INPUTS)), LABELS), ("load-not-data", {"found": "tuple"})),
    "validation": (
        lambda: data(validation=Split(np.zeros((1, INPUTS)), np.array([7]))),
        ("label-outside", {"part": "Own.validation", "label": 7}),
    ),
    "evaluation": (
        lambda: data(evaluation=Split(np.zeros((0, INPUTS)), LABELS[:0])),
        ("part-empty", {"part": "Own.evaluation"}),
    ),
}
MADE = {"sound": data} | {name: make for name, (make, _) in BROKEN.items()}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_named(name):
    make, (code, values) = BROKEN[name]
    with refuses(code, **values):
        checked(Own(), make())


def test_sound_data_are_taken_with_counts_of_64_bits():
    found = checked(Own(), data(LABELS.astype(np.int8), np.array([2, 1, 1, 2], np.uint8)))
    assert found.class_counts.dtype == np.int64
    assert found.class_counts.tolist() == [2, 1, 1, 2]


@given(
    st.lists(st.integers(-1, CLASSES - 1), min_size=1).filter(lambda labels: max(labels) >= 0),
    st.sampled_from([np.int8, np.int16, np.int32, np.int64]),
)
def test_labels_and_their_counts_are_sound_whatever_they_are(labels, dtype):
    labels = np.array(labels, dtype)
    counts = np.bincount(labels[labels >= 0], minlength=CLASSES)
    assert checked(Own(), data(labels, counts)).class_counts.tolist() == counts.tolist()
    wrong = counts + np.eye(CLASSES, dtype=int)[labels.max()]
    with refuses("class-counts-wrong"):
        checked(Own(), data(labels, wrong))


@given(st.integers(-(2**31), 2**31 - 1).filter(lambda label: not -1 <= label < CLASSES))
def test_any_other_label_is_outside(label):
    with refuses("label-outside", part="Own.train", label=label):
        checked(Own(), data(changed(2, label)))


def test_indices_that_models_would_clip_are_refused():
    @dataclasses.dataclass(frozen=True)
    class Text(Own):
        vocabulary: int = 9
        input_shape = (2,)

    tokens = np.zeros((6, 2), np.int32)
    assert checked(Text(), data(inputs=tokens))
    for odd in (-1, 9):
        with refuses("input-outside", part="Text.train", value=odd, most=8):
            checked(Text(), data(inputs=changed((1, 1), odd, tokens)))


def run(make, workspace, model=None):
    model = model or Linear(INPUTS, CLASSES)
    problem = Problem(model, Own(make), CrossEntropy())
    one = Experiment(problem, SGD(LearningRate(-1)), "loading", steps=2, per_class=True)
    return one, run_local([one], Settings(workspace, wandb_enabled=False))


@pytest.mark.parametrize("name", ["a label above", "permuted counts", "NaN", "an odd shape"])
def test_a_run_on_broken_data_fails_and_says_why(name, tmp_path):
    one, outcome = run(name, tmp_path)
    assert outcome.failed == [one]
    with refuses("experiment-failed", experiment=one.short_id):
        optexp_jax.run(one, tmp_path)
    assert optexp_jax.load_results(one, tmp_path).status == "failed"
    assert len(optexp_jax.load_results(one, tmp_path).table) == 0


@pytest.mark.parametrize("classes", [CLASSES - 1, CLASSES + 1])
def test_a_model_of_other_classes_is_refused(classes, tmp_path):
    one, outcome = run("sound", tmp_path, Outputs(classes))
    assert outcome.failed == [one]
    assert is_told("logits-of-wrong-shape", outcome.reasons[one.run_key], num_classes=CLASSES)


def test_built_in_data_are_loaded_with_their_own_counts():
    found = loaded(RandomHeavyTailedLabels(3, seed=0), Path())
    assert counts_of(found.train.labels, 7).tolist() == found.class_counts.tolist()
