"""What is promised of a data set is checked when it is loaded, whoever wrote it."""

import dataclasses
from pathlib import Path

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import optexp_jax
from optexp_jax import Experiment, Problem
from optexp_jax.config import Settings
from optexp_jax.datasets import Data, RandomHeavyTailedLabels, Split, counts_of
from optexp_jax.datasets.classes import ByFrequency
from optexp_jax.datasets.loading import checked, loaded
from optexp_jax.errors import OptexpError
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
    "a label above": (lambda: data(changed(0, CLASSES)), "label 4 of Own.train is outside"),
    "a label below": (lambda: data(changed(0, -2)), "label -2 of Own.train is outside"),
    "float labels": (lambda: data(LABELS.astype(np.float32)), "float32: make them integers"),
    "booleans": (lambda: data(LABELS > 0), "bool: make them integers"),
    "wrapped labels": (lambda: data(changed(0, -1).astype(np.uint8)), "label 255 of Own.train"),
    "all padding": (lambda: data(np.full(6, -1), np.zeros(4, int)), "all padding"),
    "short counts": (lambda: data(counts=np.array([2, 1, 3])), "shape .3,.: give an integer"),
    "float counts": (lambda: data(counts=np.array([2.0, 1, 1, 2])), "are float64 of shape"),
    "permuted counts": (lambda: data(counts=np.array([1, 2, 1, 2])), "class 0 has 2 .* not 1"),
    "wrong counts": (lambda: data(counts=np.array([2, 1, 1, 9])), "class 3 has 2 .* not 9"),
    "no examples": (lambda: data(LABELS[:0], np.zeros(4, int)), "Own.train has no examples"),
    "an odd shape": (lambda: data(inputs=np.zeros((6, 2))), r"have the shape \(2,\)"),
    "too few inputs": (lambda: data(inputs=np.zeros((5, INPUTS))), "5 inputs and 6 labels"),
    "NaN": (lambda: data(inputs=changed(0, np.nan, np.zeros((6, INPUTS)))), "hold NaN"),
    "infinity, on the device": (
        lambda: data(inputs=jnp.zeros((6, INPUTS)).at[5, 2].set(jnp.inf)),
        "hold NaN or infinity",
    ),
    "text": (lambda: data(inputs=np.full((6, INPUTS), "a")), "make them floats or integers"),
    "validation": (
        lambda: data(validation=Split(np.zeros((1, INPUTS)), np.array([7]))),
        "label 7 of Own.validation",
    ),
    "evaluation": (
        lambda: data(evaluation=Split(np.zeros((0, INPUTS)), LABELS[:0])),
        "Own.evaluation has no examples",
    ),
}
MADE = {"sound": data} | {name: make for name, (make, _) in BROKEN.items()}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_named(name):
    make, said = BROKEN[name]
    with pytest.raises(OptexpError, match=said) as caught:
        checked(Own(), make())
    assert "\n" not in str(caught.value)


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
    with pytest.raises(OptexpError, match="are not those of its training labels"):
        checked(Own(), data(labels, wrong))


@given(st.integers(-(2**31), 2**31 - 1).filter(lambda label: not -1 <= label < CLASSES))
def test_any_other_label_is_outside(label):
    with pytest.raises(OptexpError, match=f"The label {label} of Own.train is outside"):
        checked(Own(), data(changed(2, label)))


def test_indices_that_models_would_clip_are_refused():
    @dataclasses.dataclass(frozen=True)
    class Text(Own):
        vocabulary: int = 9
        input_shape = (2,)

    tokens = np.zeros((6, 2), np.int32)
    assert checked(Text(), data(inputs=tokens))
    for odd in (-1, 9):
        with pytest.raises(OptexpError, match=f"input {odd} of Text.train is outside of 0 to 8"):
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
    with pytest.raises(OptexpError, match=BROKEN[name][1]):
        optexp_jax.run(one, tmp_path)
    assert optexp_jax.load_results(one, tmp_path).status == "failed"
    assert len(optexp_jax.load_results(one, tmp_path).table) == 0


@pytest.mark.parametrize("classes", [CLASSES - 1, CLASSES + 1])
def test_a_model_of_other_classes_is_refused(classes, tmp_path):
    one, outcome = run("sound", tmp_path, Outputs(classes))
    assert outcome.failed == [one]
    assert "one logit for each class" in outcome.reasons[one.run_key]


def test_built_in_data_are_loaded_with_their_own_counts():
    found = loaded(RandomHeavyTailedLabels(3, seed=0), Path())
    assert counts_of(found.train.labels, 7).tolist() == found.class_counts.tolist()
