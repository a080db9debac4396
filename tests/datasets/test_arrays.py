"""Arrays of a program as a data set: known by their content, kept for other processes."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

import optexp_jax
from optexp_jax import Experiment, LearningRate, Problem, identity
from optexp_jax.datasets import ArrayDataset, Split
from optexp_jax.datasets.data import Facts
from optexp_jax.datasets.loading import loaded
from optexp_jax.datasets.preparing import prepare_once
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD

INPUTS = np.arange(12, dtype=np.float32).reshape(6, 2)
LABELS = np.array([0, 0, 1, 2, 2, 2])
HELD_OUT = (np.ones((2, 2), np.float32), [1, 0])


def dataset(inputs=INPUTS, labels=LABELS, **kwargs):
    return ArrayDataset("mine", inputs, labels, **kwargs)


def experiment(data):
    problem = Problem(Linear(2, 3), data, CrossEntropy())
    return Experiment(problem, SGD(LearningRate(-1)), "arrays", steps=3, per_class=True)


def test_counts_and_shapes_are_found():
    found = loaded(dataset(validation=HELD_OUT), Path("nowhere"))
    assert found.class_counts.tolist() == [2, 1, 3]
    assert found.validation.labels.tolist() == [1, 0]
    assert dataset(validation=HELD_OUT).facts == Facts(6, 2, 3.0)
    assert dataset().shapes().train.inputs.shape == (6, 2)
    assert (dataset().num_classes, dataset().input_shape) == (3, (2,))
    assert dataset(num_classes=5).num_classes == 5


def test_equal_content_is_one_data_set_whatever_holds_it():
    same = (
        dataset(INPUTS.copy(order="F"), LABELS.astype(np.uint8)),
        dataset(jnp.asarray(INPUTS), list(LABELS)),
        dataset(INPUTS.astype(">f4")),
    )
    assert {dataset(), *same} == {dataset()}
    assert len({experiment(one).id for one in (dataset(), *same)}) == 1


@pytest.mark.parametrize(
    "other",
    [
        lambda: ArrayDataset("yours", INPUTS, LABELS),
        lambda: dataset(INPUTS + 1),
        lambda: dataset(INPUTS.astype(np.float64)),
        lambda: dataset(labels=LABELS[::-1]),
        lambda: dataset(validation=HELD_OUT),
        lambda: dataset(num_classes=4),
        lambda: dataset(INPUTS.reshape(6, 2, 1)),
    ],
)
def test_any_other_content_is_another_data_set(other):
    assert other() != dataset()
    assert identity.encode(other()) != identity.encode(dataset())


@given(of_numpy.arrays(np.float32, (4, 2), elements=st.floats(-9, 9, width=32)), st.integers(0, 7))
def test_a_changed_value_changes_the_content(inputs, index):
    labels = np.array([0, 1, 1, 0])
    before = dataset(inputs, labels)
    changed = inputs.copy()
    changed.flat[index] += 1
    assert dataset(changed, labels).content != before.content
    assert dataset(inputs.copy(), labels).content == before.content


WRONG = {
    "labels from 1": (lambda: dataset(labels=LABELS + 1), ("labels-not-from-zero", {"least": 1})),
    "float labels": (lambda: dataset(labels=LABELS * 1.0), ("labels-not-integers", {})),
    "labels of text": (lambda: dataset(labels=LABELS.astype(str)), ("labels-not-integers", {})),
    "NaN labels": (lambda: dataset(labels=LABELS * np.nan), ("labels-not-integers", {})),
    "few classes": (lambda: dataset(num_classes=2), ("label-outside", {"label": 2})),
    "below": (lambda: dataset(labels=LABELS - 2), ("label-outside", {"label": -2})),
    "enormous": (
        lambda: dataset(labels=LABELS * 2**40, num_classes=3),
        ("label-outside", {"label": 2**41}),
    ),
    "NaN": (lambda: dataset(INPUTS * np.nan), ("inputs-not-finite", {})),
    "text": (lambda: dataset(INPUTS.astype(str)), ("inputs-of-wrong-type", {})),
    "ragged": (lambda: dataset([[1.0], [1.0, 2.0]]), ("not-an-array", {"what": "inputs"})),
    "nothing": (lambda: ArrayDataset("mine"), ("not-an-array", {"what": "inputs"})),
    "no labels": (lambda: ArrayDataset("mine", INPUTS), ("not-an-array", {"what": "labels"})),
    "empty": (lambda: dataset(INPUTS[:0], LABELS[:0]), ("part-empty", {})),
    "unequal": (lambda: dataset(INPUTS[:5]), ("unequal-lengths", {"inputs": 5, "labels": 6})),
    "padding": (lambda: dataset(labels=LABELS * 0 - 1), ("part-all-padding", {})),
    "half a part": (lambda: dataset(validation=INPUTS), ("validation-not-a-pair", {})),
    "other inputs": (
        lambda: dataset(validation=Split(np.ones((1, 3)), np.zeros(1, int))),
        ("input-shape-wrong", {"found": (3,)}),
    ),
    "no name": (lambda: ArrayDataset("", INPUTS, LABELS), ("data-set-without-name", {})),
    "half a class": (lambda: dataset(num_classes=2.5), ("not-an-integer", {})),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_trained_on_is_refused_at_once(name):
    make, (code, values) = WRONG[name]
    with refuses(code, **values):
        make()


def test_tokens_and_padding_are_taken():
    tokens = np.array([[0, 1, 2], [2, 1, 0]])
    found = ArrayDataset("text", tokens, np.array([[1, 2, -1], [1, 0, -1]])).load(Path("nowhere"))
    assert found.class_counts.tolist() == [1, 2, 1]


def test_arrays_written_to_after_the_declaration_are_noticed(tmp_path):
    inputs = INPUTS.copy()
    declared = dataset(inputs)
    inputs[0, 0] = 7
    with refuses("arrays-changed", name="mine"):
        declared.load(tmp_path)
    with refuses("arrays-changed", name="mine"):
        declared.prepare(tmp_path)
    assert not declared.is_prepared(tmp_path)


def test_a_definition_finds_the_arrays_in_the_workspace(tmp_path):
    one = experiment(dataset(validation=HELD_OUT))
    again = Experiment.from_json(one.to_json())
    assert again == one
    read = again.problem.dataset
    assert "not in" in read.missing(tmp_path)
    with refuses("data-not-here", dataset="mine"):
        read.load(tmp_path)
    prepare_once(one.problem.dataset, tmp_path)
    assert read.missing(tmp_path) is None
    data = loaded(read, tmp_path)
    np.testing.assert_array_equal(data.train.inputs, INPUTS)
    np.testing.assert_array_equal(data.validation.inputs, HELD_OUT[0])
    assert data.class_counts.tolist() == [2, 1, 3]
    assert dataclasses.replace(read, name="mine") == one.problem.dataset


@pytest.mark.parametrize("change", [lambda b: b[:-40], lambda b: b"", lambda b: b"PK" + b[2:] * 2])
def test_kept_arrays_that_are_damaged_are_named(change, tmp_path):
    mine = dataset()
    mine.prepare(tmp_path)
    path = mine.path(tmp_path)
    path.write_bytes(change(path.read_bytes()))
    with refuses("arrays-damaged", path=path):
        Experiment.from_json(experiment(mine).to_json()).problem.dataset.load(tmp_path)


def test_kept_arrays_of_another_data_set_are_named(tmp_path):
    mine, other = dataset(), dataset(INPUTS + 1)
    other.prepare(tmp_path)
    os.rename(other.path(tmp_path), mine.path(tmp_path))
    with refuses("arrays-damaged"):
        Experiment.from_json(experiment(mine).to_json()).problem.dataset.load(tmp_path)


@pytest.mark.slow
def test_another_process_trains_on_the_kept_arrays(tmp_path):
    one = experiment(dataset())
    rows = optexp_jax.run(one, tmp_path).table
    (tmp_path / "one.json").write_text(one.to_json())
    code = (
        "import optexp_jax, pathlib, sys\n"
        "one = optexp_jax.Experiment.from_json(pathlib.Path(sys.argv[1], 'one.json').read_text())\n"
        "import shutil; shutil.rmtree(pathlib.Path(sys.argv[1], 'experiments'))\n"
        "print(optexp_jax.run(one, sys.argv[1]).table['tr_CrossEntropyLoss'].tolist())"
    )
    env = os.environ | {"PYTHONPATH": str(Path(optexp_jax.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, env=env
    )
    assert done.returncode == 0, done.stderr
    assert eval(done.stdout.splitlines()[-1]) == rows["tr_CrossEntropyLoss"].tolist()


def test_an_experiment_whose_arrays_are_nowhere_says_so(tmp_path):
    again = Experiment.from_json(experiment(dataset()).to_json())
    with refuses("data-not-here"):
        optexp_jax.run(again, tmp_path)
