"""What is promised of every registered class of a kind: optimizers, data sets, losses, models."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from errors import refuses

from optexp_jax import FullBatch, LearningRate, MiniBatch, identity
from optexp_jax.datasets.base import facts_of, seed_is_open, shapes_of
from optexp_jax.datasets.catalogue import CATALOGUE
from optexp_jax.datasets.data import Facts, Split
from optexp_jax.losses import CrossEntropy, Loss, Metric, recorded_metrics
from optexp_jax.metrics import SummedMetric
from optexp_jax.optim import (
    SGD,
    Adam,
    Optax,
    Optimizer,
    Partitioned,
    appearance_of,
    has_rate,
    momentum_of,
    with_rate,
)
from optexp_jax.registry import field_names, is_ours, registered
from optexp_jax.targets import CLASSES, taken_by, targets_of

OURS: dict[str, Any] = {name: cls for name, cls in registered().items() if is_ours(cls)}
RATE = LearningRate(-2)


def kind(*members):
    """Classes of ours with these members, fields included."""
    return {
        name: cls
        for name, cls in OURS.items()
        if all(m in dir(cls) or m in cls.__dataclass_fields__ for m in members)
    }


def example(cls):
    if cls is Optax:
        return Optax("Lion", optax.lion, RATE)
    if cls is Partitioned:
        return Partitioned({"head": Adam("10^-3"), "*": SGD("10^-1")}, RATE)
    return cls(RATE) if "learning_rate" in field_names(cls) else cls()


OPTIMIZERS = kind("learning_rate", "build")
DATASETS = kind("load")
OF_THE_USER = {
    "ArrayDataset",
    "TextFiles",
    "TokenStream",
}  # nobody has them until they are given what they hold
LOSSES = kind("per_example", "build")
METRICS = {k: v for k, v in kind("name", "per_example").items() if CLASSES in taken_by(v)}
METRICS |= kind("name", "sums", "value")
MODELS = {name: cls for name, cls in OURS.items() if issubclass(cls, nn.Module)}


def test_every_kind_is_found():
    found = (len(OPTIMIZERS), len(DATASETS), len(LOSSES), len(MODELS), len(METRICS))
    assert all(now >= known for now, known in zip(found, (8, 25, 4, 8, 10), strict=True))


# --- optimizers ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_has_its_rate_in_its_state(name):
    spec = example(OPTIMIZERS[name])
    assert isinstance(spec, Optimizer)
    state = spec.build().init({"w": jnp.ones(2)})
    rates = optax.tree.get_all_with_path(state, "learning_rate")
    if has_rate(spec):
        found = [float(rate) for _, rate in rates]
        # Parts of an optimizer have their own, which it multiplies.
        assert found[0] == pytest.approx(float(RATE))
        assert len(found) == 1 or isinstance(spec, Partitioned)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_another_rate_is_the_same_method(name):
    spec, other = example(OPTIMIZERS[name]), LearningRate(0)
    moved = with_rate(spec, other)
    assert type(moved) is type(spec)
    assert (moved == spec) == (not has_rate(spec))
    assert moved.learning_rate == other
    assert with_rate(moved, spec.learning_rate) == spec
    assert 0 <= momentum_of(spec) < 1
    assert identity.decode(identity.encode(spec)) == spec


def test_every_optimizer_says_how_it_looks_and_no_two_look_alike():
    looks = [appearance_of(cls) for cls in OPTIMIZERS.values()]
    for part in range(3):  # label, colour, marker
        assert len({look[part] for look in looks}) == len(OPTIMIZERS)


def test_a_subclass_does_not_look_like_its_base():
    assert appearance_of(type("Other", (SGD,), {})) is None


# --- data sets -------------------------------------------------------------------------------


def test_every_class_of_data_sets_is_listed():
    listed = {type(dataset).__name__ for dataset in CATALOGUE.values()}
    assert listed == set(DATASETS) - OF_THE_USER


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_data_set_says_what_it_is_before_it_is_loaded(name):
    dataset = CATALOGUE[name]
    assert dataset.num_classes > 1
    assert all(type(size) is int for size in dataset.input_shape)
    counts = np.arange(dataset.num_classes, 0, -1)
    groups = dataset.groups(counts)
    assert len(groups) == dataset.num_groups
    assert sorted(np.concatenate(groups)) == list(range(dataset.num_classes))
    assert isinstance(facts_of(dataset), Facts)
    assert not seed_is_open(dataset)
    assert identity.decode(identity.encode(dataset)) == dataset


def is_refused(name):
    """Sizes that follow from files."""
    return facts_of(CATALOGUE[name]).train is None


@pytest.mark.parametrize("name", [name for name in CATALOGUE if not is_refused(name)])
def test_shapes_are_those_of_the_facts(name):
    dataset = CATALOGUE[name]
    data = shapes_of(dataset)
    streamed = not isinstance(data.train, Split)  # images of ImageNet are never in memory
    example = data.train.example_shape if streamed else data.train.inputs.shape[1:]
    assert example == dataset.input_shape
    assert data.train.labels.shape[0] == len(data.train)
    assert streamed or data.train.inputs.shape[0] == len(data.train)
    shape = data.train.labels.shape
    of_classes = targets_of(dataset) == CLASSES
    targets = int(np.prod(shape if of_classes else shape[:-1]))
    assert 0 <= targets - facts_of(dataset).train < max(dataset.input_shape, default=1)
    assert data.class_counts.shape == (dataset.num_classes,)


@pytest.mark.parametrize("name", [name for name in CATALOGUE if is_refused(name)])
def test_shapes_that_files_decide_are_refused(name):
    with refuses("shapes-unknown"):
        shapes_of(CATALOGUE[name])


# --- batches ---------------------------------------------------------------------------------


@pytest.mark.parametrize("batching", [FullBatch(), MiniBatch(3), MiniBatch(30, shuffle=False)])
@pytest.mark.parametrize("examples", [1, 3, 10])
def test_batches_of_an_epoch_hold_every_example_once(batching, examples):
    size = min(batching.batch_size(examples), examples)
    steps = batching.steps_per_epoch(examples)
    assert (steps - 1) * size < examples <= steps * size
    assert type(batching.shuffle) is bool
    if batching.is_full:
        assert (size, steps, batching.shuffle) == (examples, 1, False)


# --- losses and models -----------------------------------------------------------------------


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_sums_what_it_records_where_it_says_so(name):
    cls = LOSSES[name]
    loss = cls(LOSSES["SquaredLoss"](), 1.0) if name == "Weighted" else cls()
    assert isinstance(loss, Loss)
    assert loss.name.isidentifier()
    logits, labels = jnp.array([[1.0, 0.0], [0.5, 2.0], [0.0, 0.0]]), jnp.array([0, 1, -1])
    if CLASSES not in taken_by(loss):
        labels = jnp.array([[1.0, 0.0], [1.0, 1.0], [jnp.nan, jnp.nan]])
    total, weight = loss.build(np.array([3, 1]))(logits, labels)
    each = loss.per_example(logits, labels)
    assert each.shape == labels.shape[:1]
    assert each[2] == 0
    mean = float(total / weight)
    assert (mean == pytest.approx(float(each.sum()) / 2)) == loss.recorded_is_optimised


@pytest.mark.parametrize("name", MODELS)
def test_a_model_says_its_classes_and_can_compute_in_another_type(name):
    cls = MODELS[name]
    assert {"num_classes", "dtype"} <= set(field_names(cls))
    assert dataclasses.is_dataclass(cls)


# -- metrics ------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", recorded_metrics(CrossEntropy()), ids=lambda m: m.name)
def test_a_metric_has_a_value_for_each_example_and_none_for_padding(metric):
    assert isinstance(metric, Metric)
    logits, labels = jnp.array([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]]), jnp.array([0, 0, -1])
    values = metric.per_example(logits, labels)
    expected = {"CrossEntropyLoss": [0.126928, 1.313262, 0.0], "Accuracy": [1, 0, 0]}
    np.testing.assert_allclose(values, expected[metric.name], rtol=1e-5)


@pytest.mark.parametrize("name", METRICS)
def test_padding_adds_nothing_to_a_metric(name):
    metric = METRICS[name]()
    logits, labels = jnp.array([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]]), jnp.array([0, 0, -1])
    if isinstance(metric, SummedMetric):
        padded, alone = metric.sums(logits, labels, 2), metric.sums(logits[:2], labels[:2], 2)
        assert {k: v.tolist() for k, v in padded.items()} == {
            k: v.tolist() for k, v in alone.items()
        }
        rows = {k: np.asarray(v, np.float64)[None] for k, v in padded.items()}
        assert metric.value(rows).shape == (1,)
    else:
        assert isinstance(metric, Metric)
        values = metric.per_example(logits, labels)
        assert values.shape == labels.shape
        assert values[2] == 0
    assert metric.name.isidentifier()
    assert identity.decode(identity.encode(metric)) == metric
