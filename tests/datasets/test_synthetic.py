"""Synthetic data: exact sizes and counts, and inputs that are a function of the seed."""

import dataclasses
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from hypothesis import given
from hypothesis import strategies as st

from optexp_jax.datasets import (
    Gaussian,
    GaussianMixture,
    HeavyTailedOneHot,
    PatternImages,
    PowerLawOneHot,
    RandomHeavyTailedLabels,
    Uniform,
    ZipfMandelbrot,
    counts_of,
)
from optexp_jax.datasets.data import Facts
from optexp_jax.datasets.synthetic.power_law import power_law_counts
from optexp_jax.errors import OptexpError


def load(dataset):
    return dataset.load(Path())


# ------------------------------------------------------------------ HeavyTailedOneHot


@pytest.mark.parametrize(
    ("start", "base", "examples", "classes", "groups"),
    [(1000, 10, 4000, 1111, 4), (64, 2, 448, 127, 7), (9, 3, 27, 13, 3), (1, 10, 1, 1, 1)],
)
def test_sizes_of_one_hot_data(start, base, examples, classes, groups):
    dataset = HeavyTailedOneHot(start, base)
    data = load(dataset)
    assert len(data.train) == examples == data.class_counts.sum()
    assert dataset.num_classes == dataset.num_inputs == len(data.class_counts) == classes
    assert dataset.num_groups == groups
    assert data.class_counts.max() == start
    assert data.class_counts.min() == 1
    assert (counts_of(data.train.labels, classes) == data.class_counts).all()


def test_one_hot_inputs_are_indices_equal_to_the_labels_and_validation_is_training():
    data = load(HeavyTailedOneHot(100))
    assert np.array_equal(data.train.inputs, data.train.labels)
    assert data.train.labels.dtype == np.int32
    assert data.validation is None


def test_one_hot_counts_fall_by_the_base_from_group_to_group():
    counts = HeavyTailedOneHot(1000).class_counts()
    assert dict(zip(*np.unique(counts, return_counts=True), strict=True)) == {
        1000: 1, 100: 10, 10: 100, 1: 1000,
    }  # fmt: skip
    assert (np.diff(counts) <= 0).all()


@given(st.integers(-5, 300), st.integers(-2, 12))
def test_a_start_that_is_no_power_of_the_base_is_refused(start, base):
    if base >= 2 and start in [base**k for k in range(10)]:
        assert HeavyTailedOneHot(start, base).class_counts().max() == start
        return
    with refuses("not-a-power-of-base", start_examples=start, base=base):
        HeavyTailedOneHot(start, base)


# ------------------------------------------------------------ RandomHeavyTailedLabels


@pytest.mark.parametrize(
    ("size", "n", "c", "d"),
    [(7, 896, 127, 1024), (8, 2048, 255, 2304)],
)
def test_sizes_of_the_paper(size, n, c, d):
    dataset = RandomHeavyTailedLabels(size, seed=0)
    data = load(dataset)
    assert data.train.inputs.shape == (n, d)
    assert data.train.inputs.dtype == jnp.float32
    assert data.train.labels.shape == (n,)
    assert data.train.labels.dtype == np.int32
    assert (dataset.num_classes, dataset.num_inputs, dataset.num_groups) == (c, d, size)
    assert data.class_counts.max() == 2**size
    assert data.class_counts.max() == 2 ** (size - 1) * data.class_counts.min()
    assert (counts_of(data.train.labels, c) == data.class_counts).all()
    assert data.validation is None


def test_sizes_of_the_largest_run_without_drawing_it():
    dataset = RandomHeavyTailedLabels(11)
    assert (dataset.num_classes, dataset.num_inputs, dataset.num_groups) == (2047, 24_576, 11)


@pytest.mark.parametrize("size", [0, -1, 17])
def test_impossible_sizes_are_refused(size):
    with refuses("size-outside", size=size):
        RandomHeavyTailedLabels(size)


def test_the_seed_decides_the_inputs_and_not_the_labels():
    dataset = RandomHeavyTailedLabels(3, seed=1)
    first, again = load(dataset), load(dataset)
    other = load(dataclasses.replace(dataset, seed=2))
    assert np.array_equal(first.train.inputs, again.train.inputs)
    assert not np.isclose(first.train.inputs, other.train.inputs).any()
    assert np.array_equal(first.train.labels, other.train.labels)


def test_without_a_seed_there_is_no_data():
    with refuses("seed-not-given", dataset="RandomHeavyTailedLabels"):
        load(RandomHeavyTailedLabels(3))


@pytest.mark.parametrize(
    ("inputs", "mean", "std"),
    [
        (Uniform(), 0.5, 12**-0.5),
        (Gaussian(), 0.0, 1.0),
        (Gaussian(1), 1.0, 1.0),
        (Gaussian(0.1, 0.25), 0.1, 0.25),
        (Gaussian(0, 0.75), 0.0, 0.75),
    ],
)
def test_moments_of_the_inputs(inputs, mean, std):
    drawn = np.asarray(load(RandomHeavyTailedLabels(6, inputs, seed=0)).train.inputs, np.float64)
    spread = std / drawn.size**0.5
    assert abs(drawn.mean() - mean) < 5 * spread
    assert abs(drawn.std() - std) < 5 * spread
    # Independent entries: columns, and rows, differ from each other as their sizes say.
    assert abs(drawn.mean(axis=0).std() / (std / len(drawn) ** 0.5) - 1) < 0.2


def test_uniform_inputs_stay_between_zero_and_one():
    drawn = load(RandomHeavyTailedLabels(5, seed=0)).train.inputs
    assert 0 <= drawn.min() < 0.01
    assert 0.99 < drawn.max() < 1


def test_the_bias_column_is_appended_and_changes_nothing_else():
    plain = RandomHeavyTailedLabels(4, Gaussian(), seed=3)
    dataset = dataclasses.replace(plain, bias_column=True)
    inputs = load(dataset).train.inputs
    assert dataset.num_inputs == plain.num_inputs + 1 == inputs.shape[1]
    assert (inputs[:, -1] == 1).all()
    assert np.array_equal(inputs[:, :-1], load(plain).train.inputs)


def test_the_length_of_the_inputs_may_be_given():
    dataset = RandomHeavyTailedLabels(7, Gaussian(), dim=400, seed=0)
    assert dataset.num_inputs == 400
    assert load(dataset).train.inputs.shape == (896, 400)


# -------------------------------------------------------------------------- power laws


@given(
    st.integers(2, 300), st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.floats(0, 20), st.integers(1, 9)
)
def test_counts_follow_the_law(classes, power, shift, least):
    counts = power_law_counts(classes, power, shift, least)
    assert counts.shape == (classes,)
    assert (np.diff(counts) <= 0).all()
    assert counts[-1] == least
    for k, count in enumerate(counts.tolist(), start=1):
        exact = least * ((classes + shift) / (k + shift)) ** power
        assert -1e-9 < count - exact < 1 + 1e-9


def test_whole_ratios_are_not_raised():
    counts = power_law_counts(1000, 1.0, 0.0, 3)
    assert counts.tolist() == [-(-3 * 1000 // k) for k in range(1, 1001)]


def test_the_mixture_of_the_paper():
    dataset = GaussianMixture(seed=0)
    data = load(dataset)
    assert data.class_counts.tolist() == [-(-10 * 100 // k) for k in range(1, 101)]
    assert dataset.facts == Facts(int(data.class_counts.sum()), 0, 100.0)
    x, y = np.asarray(data.train.inputs, np.float64), data.train.labels
    assert x.shape == (len(y), *dataset.input_shape) == (data.class_counts.sum(), 100)
    noise = x - np.eye(100)[y]
    assert abs(noise.mean()) < 5 * 0.1 / noise.size**0.5
    assert abs(noise.std() - 0.1) < 5 * 0.1 / noise.size**0.5  # `var` of its code is this
    assert data.validation is None


def test_mandelbrot_labels_have_independent_inputs():
    dataset = ZipfMandelbrot(num_classes=30, inputs=Uniform(), dim=7, seed=1)
    data = load(dataset)
    assert data.class_counts.tolist() == power_law_counts(30, 1.0, 2.7, 1).tolist()
    assert data.train.inputs.shape == (data.class_counts.sum(), 7)
    assert (dataset.num_inputs, dataset.num_classes, dataset.num_groups) == (7, 30, 10)
    assert ZipfMandelbrot().num_inputs == ZipfMandelbrot().facts.train
    other = load(dataclasses.replace(dataset, power=2.0))
    assert len(other.train) > len(data.train)
    assert np.array_equal(other.train.inputs[:50], data.train.inputs[:50])


@pytest.mark.parametrize(
    ("make", "field", "value", "code"),
    [
        (GaussianMixture, "num_classes", 1, "not-an-integer"),
        (GaussianMixture, "least", 0, "not-an-integer"),
        (GaussianMixture, "power", -1, "not-a-number"),
        (GaussianMixture, "scale", float("nan"), "not-a-number"),
        (ZipfMandelbrot, "dim", 0, "not-an-integer"),
        (ZipfMandelbrot, "shift", "1", "not-a-number"),
    ],
)
def test_impossible_laws_are_refused(make, field, value, code):
    with refuses(code, field=field, kind=make.__name__, value=value):
        make(**{field: value})


@pytest.mark.parametrize("make", [GaussianMixture, ZipfMandelbrot])
def test_laws_without_a_seed_have_no_data(make):
    with refuses("seed-not-given", dataset=make.__name__):
        load(make())


# --------------------------------------------------------------------------- groups


@pytest.mark.parametrize(
    "dataset",
    [
        *(RandomHeavyTailedLabels(size) for size in (1, 2, 7, 8, 11)),
        *(HeavyTailedOneHot(start, base) for start, base in [(1000, 10), (64, 2), (1, 10)]),
    ],
)
def test_groups_are_those_of_the_construction(dataset):
    base = getattr(dataset, "base", 2)
    sizes = [base**g for g in range(dataset.num_groups)]
    counts = np.repeat([base ** (dataset.num_groups - g) for g in range(len(sizes))], sizes)
    groups = dataset.groups(counts)
    assert [len(group) for group in groups] == sizes
    assert np.array_equal(np.concatenate(groups), np.arange(dataset.num_classes))
    assert len({int(counts[group].sum()) for group in groups}) == 1


@pytest.mark.parametrize("dataset", [RandomHeavyTailedLabels(8, seed=0), HeavyTailedOneHot(64, 2)])
def test_another_number_of_groups_may_be_asked_for(dataset):
    counts = load(dataset).class_counts
    assert len(dataset.groups(counts, 3)) == 3
    most, least = dataset.groups(counts, 2)
    assert abs(counts[most].sum() - counts[least].sum()) <= counts.max()
    assert counts[most].min() >= counts[least].max()
    assert sorted([*most, *least]) == list(range(dataset.num_classes))


def test_padding_is_not_counted():
    counts = counts_of(np.array([[0, 2, -1], [2, -1, -1]]), 4)
    assert counts.dtype == np.int64
    assert counts.tolist() == [1, 0, 2, 0]


# ------------------------------------------------------------------ PowerLawOneHot


@pytest.mark.slow
def test_gradient_descent_on_it_is_the_weighted_quadratic():
    """The error on class k after t steps is (1 - η π_k)^t: the paper, section 3.1."""
    from experiments.toy_models.weighted_quadratic import experiments
    from optexp_jax.training.loop import train_pack
    from optexp_jax.training.pack import Pack

    experiment = dataclasses.replace(experiments[0], steps=20)
    data = load(experiment.problem.dataset)
    pi = data.class_counts / data.class_counts.sum()
    assert np.allclose(pi * np.arange(1, 101) / pi[0], 1, atol=0.02)
    losses = np.concatenate(
        [
            record.per_class["tr_SquaredLossPerClass"]
            for chunk in train_pack(Pack((experiment,)), data)
            for record in chunk.records
        ]
    )
    rate = float(experiment.optimizer.learning_rate)
    expected = [0.5 * (1 - rate * pi) ** (2 * t) for t in range(21)]
    np.testing.assert_allclose(losses, expected, rtol=1e-6, atol=1e-9)


def test_power_law_one_hot_inputs_are_the_labels():
    data = load(PowerLawOneHot(5, least=3))
    assert data.class_counts.tolist() == [15, 8, 5, 4, 3]
    assert np.array_equal(data.train.inputs, data.train.labels)
    assert PowerLawOneHot(5, power=0).class_counts().tolist() == [10] * 5


# ------------------------------------------------------------------ PatternImages


def test_patterns_are_a_function_of_the_seed():
    dataset = PatternImages(num_classes=6, least=2, size=8)
    data, again = load(dataset), load(dataset)
    assert data.class_counts.tolist() == [12, 6, 4, 3, 3, 2]
    assert np.array_equal(data.train.inputs, again.train.inputs)
    assert data.train.inputs.shape == (30, 8, 8, 3)
    assert data.validation.labels.tolist() == list(range(6))
    other = load(dataclasses.replace(dataset, seed=1))
    assert not np.allclose(data.train.inputs, other.train.inputs)


def test_an_image_is_its_pattern_and_noise():
    clear = load(PatternImages(num_classes=3, power=0, least=4, size=8, noise=0.0))
    images = np.asarray(clear.train.inputs).reshape(3, 4, -1)
    assert np.array_equal(images, np.repeat(images[:, :1], 4, axis=1))
    assert not np.allclose(images[0, 0], images[1, 0])
    noisy = load(PatternImages(num_classes=3, power=0, least=4, size=8, noise=2.0))
    noise = np.asarray(noisy.train.inputs).reshape(3, 4, -1) - images
    assert noise.std() == pytest.approx(2.0, rel=0.05)


def test_an_image_is_the_same_whatever_the_number_of_images():
    few, many = (load(PatternImages(num_classes=n, power=0, least=1, size=8)) for n in (3, 40))
    for part in ("train", "validation"):
        of_few, of_many = (np.asarray(getattr(data, part).inputs) for data in (few, many))
        assert np.array_equal(of_few, of_many[:3])


@pytest.mark.parametrize("fields", [{"size": 3}, {"num_classes": 1}, {"noise": -1.0}, {"least": 0}])
def test_impossible_patterns_are_refused(fields):
    (name,) = fields
    with pytest.raises(OptexpError) as caught:
        PatternImages(**fields)
    assert caught.value.values["field"] == name
