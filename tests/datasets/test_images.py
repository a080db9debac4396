"""MNIST, Fashion-MNIST and digits: sizes, subsets and pixels, on files of the true sizes."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
from errors import refuses
from fake_images import number_of, write_four
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from optexp_jax.datasets import counts_of
from optexp_jax.datasets.classes import first_of_each, rank_in_class
from optexp_jax.datasets.data import Facts, Split
from optexp_jax.datasets.data_files import MissingDataError
from optexp_jax.datasets.images import mnist as images
from optexp_jax.datasets.images.digits import Digits
from optexp_jax.datasets.images.mnist import MNIST, FashionMNIST
from optexp_jax.datasets.images.mnist_files import FASHION_FILES
from optexp_jax.datasets.images.pixels import moments, scaled

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Random images in place of MNIST and, as they are, of Fashion-MNIST."""
    path = tmp_path_factory.mktemp("workspace")
    write_four(path / "datasets" / "MNIST", (60_000, 10_000))
    write_four(path / "datasets" / "FashionMNIST", (60_000, 10_000))
    return path


def check_types(data, n_train, n_validation, shape):
    for part, n in [(data.train, n_train), (data.validation, n_validation)]:
        assert part.inputs.shape == (n, *shape)
        assert part.inputs.dtype == np.float32
        assert part.labels.shape == (n,)
        assert part.labels.dtype == np.int32
    assert (counts_of(data.train.labels, 10) == data.class_counts).all()


# ----------------------------------------------------------------- sizes and subsets


def test_all_of_mnist(workspace):
    dataset = MNIST()
    data = dataset.load(workspace)
    check_types(data, 60_000, 10_000, (28, 28, 1))
    assert dataset.input_shape == (28, 28, 1)
    assert dataset.num_inputs is None
    assert (dataset.num_classes, dataset.num_groups) == (10, 10)
    assert dataset.facts == Facts(60_000, 10_000, 6742 / 5421)
    raw = dataset.raw(workspace)[0]
    assert np.array_equal(data.train.labels, raw.labels)
    assert np.array_equal(number_of(raw.inputs), np.arange(60_000))


@pytest.mark.parametrize(
    ("subset", "train", "validation"), [("tiny", 1000, 100), ("micro", 500, 50)]
)
def test_subsets_are_the_first_of_each_class_and_test_images_validate(
    workspace, subset, train, validation
):
    dataset = MNIST(subset)
    data = dataset.load(workspace)
    check_types(data, 10 * train, 10 * validation, (28, 28, 1))
    assert dataset.facts == Facts(10 * train, 10 * validation, 1.0)
    everything = MNIST().raw(workspace)
    for part, whole, k in zip(dataset.raw(workspace), everything, (train, validation), strict=True):
        expected = [i for c in range(10) for i in np.flatnonzero(whole.labels == c)[:k]]
        assert np.array_equal(part.labels, np.repeat(np.arange(10), k))
        assert np.array_equal(number_of(part.inputs), expected)
        assert np.array_equal(part.inputs, whole.inputs[expected])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(1, 5))
def test_ranks_and_first_examples_by_a_loop(labels, k):
    seen = dict.fromkeys(range(10), 0)
    ranks = []
    for label in labels:
        ranks.append(seen[label])
        seen[label] += 1
    assert rank_in_class(np.array(labels)).tolist() == ranks
    kept = [i for c in range(10) for i, y in enumerate(labels) if y == c and ranks[i] < k]
    part = first_of_each(Split(np.arange(len(labels)), np.array(labels, np.uint8)), k)
    assert part.inputs.tolist() == kept


def test_flat_inputs_hold_the_same_numbers(workspace):
    plain, flat = MNIST("micro"), MNIST("micro", flatten=True)
    assert flat.input_shape == (flat.num_inputs,) == (784,)
    data = flat.load(workspace)
    check_types(data, 5000, 500, (784,))
    expected = plain.load(workspace).train.inputs
    assert np.array_equal(data.train.inputs.reshape(-1, 28, 28, 1), expected)


# ---------------------------------------------------------------------------- pixels


def test_raw_pixels_of_mnist_are_those_of_the_paper(workspace):
    dataset = MNIST("micro")
    bytes_of = dataset.raw(workspace)[1].inputs.astype(np.float64)
    inputs = dataset.load(workspace).validation.inputs[..., 0]
    np.testing.assert_allclose(inputs, (bytes_of - 0.1307) / 0.3081, rtol=1e-6)
    assert inputs.max() == pytest.approx(827.2, abs=0.1)


@pytest.mark.parametrize(
    ("dataset", "mean", "std"), [(MNIST(), 0.1307, 0.3081), (FashionMNIST(), 0.2860, 0.3530)]
)
def test_unit_pixels_are_those_between_zero_and_one(workspace, dataset, mean, std):
    dataset = dataclasses.replace(dataset, subset="micro", pixels="unit")
    bytes_of = dataset.raw(workspace)[0].inputs.astype(np.float64)
    inputs = dataset.load(workspace).train.inputs[..., 0]
    np.testing.assert_allclose(inputs, (bytes_of / 255 - mean) / std, rtol=1e-5, atol=1e-6)


def test_standardised_pixels_have_the_moments_of_training(workspace):
    dataset = MNIST("tiny", "standardised")
    train, validation = (part.inputs.astype(np.float64) for part in dataset.raw(workspace))
    data = dataset.load(workspace)
    mean, std = train.mean(axis=0), train.std(axis=0, ddof=1)  # n - 1, as in torch
    assert std[27, 27] == 0  # the only pixel that never changes stays as it is
    mean[27, 27], std[27, 27] = 0, 1
    for part, expected in [(data.train, train), (data.validation, validation)]:
        inputs = part.inputs[..., 0]
        np.testing.assert_allclose(inputs, (expected - mean) / std, rtol=1e-5, atol=1e-5)
    inputs = data.train.inputs.astype(np.float64)
    assert abs(inputs.mean(axis=0)).max() < 1e-6
    assert abs(np.delete(inputs.std(axis=0).ravel(), 27 * 28 + 27) - 1).max() < 1e-4


def test_a_pixel_that_only_validation_changes_stays_a_byte():
    train = np.array([[[3, 9]], [[5, 9]]], np.uint8)
    mean, std = moments(train)
    assert scaled(np.array([[[4, 200]]], np.uint8), mean, std).tolist() == [[[0, 200]]]


@given(arrays_of.arrays(np.uint8, st.tuples(st.integers(2, 40), st.integers(1, 4))))
def test_moments_by_exact_integers(x):
    mean, std = moments(x)
    columns = [[int(v) for v in column] for column in x.T]
    for column, found_mean, found_std in zip(columns, mean, std, strict=True):
        n, total = len(column), sum(column)
        spread = n * sum(v * v for v in column) - total * total
        assert found_mean == pytest.approx(total / n if spread else 0, rel=1e-6)
        assert found_std == pytest.approx((spread / n / (n - 1)) ** 0.5 if spread else 1, rel=1e-6)


def test_one_different_pixel_in_many_is_not_a_constant():
    x = np.full((60_000, 1), 255, np.uint8)
    x[7] = 254
    _, std = moments(x)
    assert std[0] == pytest.approx(60_000**-0.5, rel=1e-4)


def test_images_are_scaled_in_place_where_asked():
    x = np.array([[2.0, 4.0]], np.float32)
    assert scaled(x, 1, 2, out=x) is x
    assert x.tolist() == [[0.5, 1.5]]


# ------------------------------------------------------------------- values and groups


@pytest.mark.parametrize("make", [MNIST, FashionMNIST, Digits])
def test_impossible_values_are_refused(make):
    with refuses("not-a-choice", field="pixels", kind=make.__name__, value="grey"):
        make(pixels="grey")
    with refuses("not-a-flag", field="flatten", kind=make.__name__, value=1):
        make(flatten=1)


@pytest.mark.parametrize("make", [MNIST, FashionMNIST])
def test_unknown_subsets_are_refused(make):
    known = ("all", "tiny", "micro")
    with refuses("not-a-choice", field="subset", kind=make.__name__, value="small", choices=known):
        make(subset="small")


def test_defaults_are_those_of_the_paper_where_it_has_them():
    assert MNIST() == MNIST("all", "raw", False)
    assert FashionMNIST() == FashionMNIST("standardised", "all", False)
    assert Digits() == Digits("standardised", False)


def test_groups_go_by_frequency():
    counts = np.array([6, 1, 5, 1, 1, 1, 1, 1, 1, 2])
    most, least = MNIST().groups(counts, 2)
    assert (most.tolist(), least.tolist()) == ([0, 2], [9, 1, 3, 4, 5, 6, 7, 8])
    assert len(MNIST().groups(counts)) == 10


# --------------------------------------------------------------------------- real data


def test_digits_are_really_there(tmp_path):
    dataset = Digits()
    data = dataset.load(tmp_path)
    check_types(data, 1500, 297, (8, 8, 1))
    assert dataset.facts == Facts(1500, 297, 1.0)
    assert (data.class_counts == 150).all()
    assert (dataset.missing(tmp_path), dataset.is_prepared(tmp_path)) == (None, True)
    dataset.prepare(tmp_path)
    assert not list(tmp_path.iterdir())


def test_digits_are_those_of_scikit_learn_each_once():
    from sklearn.datasets import load_digits

    values, labels = load_digits(return_X_y=True)
    known = sorted(zip(values.astype(int).tolist(), labels.tolist(), strict=True))
    parts = Digits().raw(Path())
    pixels = np.concatenate([np.asarray(part.inputs) for part in parts]).reshape(-1, 64)
    found_labels = np.concatenate([np.asarray(part.labels) for part in parts])
    assert set(np.unique(pixels)) == {round(v * 255 / 16) for v in range(17)}
    sixteenths = (pixels.astype(int) * 16 + 127) // 255
    assert sorted(zip(sixteenths.tolist(), found_labels.tolist(), strict=True)) == known


def test_digits_are_pinned():
    # Experiments stand for these images: no version of a library may change them.
    images = [np.asarray(part.inputs).tobytes() for part in Digits().raw(Path())]
    digests = [hashlib.sha256(part).hexdigest()[:16] for part in images]
    assert digests == ["1cf3b8430ad94f96", "569feee6753a53a7"]


def test_digits_are_split_at_random_but_always_alike():
    first, second = Digits().raw(Path())
    again, _ = Digits().raw(Path())
    assert np.array_equal(first.inputs, again.inputs)
    assert np.array_equal(first.labels, again.labels)
    counts = np.bincount(second.labels)
    assert counts.sum() == 297
    assert counts.min() == 24
    assert len(set(first.labels[:50].tolist())) == 10  # in no order of classes


@pytest.mark.parametrize(("pixels", "low"), [("unit", -0.3057 / 0.3758), ("raw", -0.3057 / 0.3758)])
def test_digits_have_their_own_mean_and_deviation(pixels, low):
    inputs = Digits(pixels).load(Path()).train.inputs.astype(np.float64)
    assert inputs.min() == pytest.approx(low, rel=1e-5)
    if pixels == "unit":
        assert abs(inputs.mean()) < 1e-3
        assert abs(inputs.std() - 1) < 1e-3


def test_without_scikit_learn_there_are_no_digits(monkeypatch):
    from optexp_jax.datasets.images import digits

    monkeypatch.setattr(digits.importlib.util, "find_spec", lambda name: None)
    for call in (Digits().load, Digits().prepare):
        with refuses("data-not-here", MissingDataError, dataset="Digits") as caught:
            call(Path())
        assert "`pip install scikit-learn`" in str(caught.value)
    assert not Digits().is_prepared(Path())


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="dataset-fashion-mnist is not installed here")
@pytest.mark.slow
def test_fashion_mnist_of_debian_is_the_published_one(tmp_path, monkeypatch):
    monkeypatch.setattr(FashionMNIST, "_files", FASHION_FILES)  # with what is known of them
    dataset = FashionMNIST()
    assert dataset.missing(tmp_path) is None
    assert not dataset.is_prepared(tmp_path)
    dataset.prepare(tmp_path)
    assert dataset.is_prepared(tmp_path)
    data = dataset.load(tmp_path)
    check_types(data, 60_000, 10_000, (28, 28, 1))
    assert data.class_counts.tolist() == [6000] * 10
    assert np.bincount(data.validation.labels).tolist() == [1000] * 10
    assert data.train.labels[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    raw = dataset.raw(tmp_path)[0].inputs / np.float32(255)
    assert raw.mean() == pytest.approx(0.2860, abs=1e-4)
    assert raw.std() == pytest.approx(0.3530, abs=1e-4)
    assert abs(data.train.inputs.mean(axis=0)).max() < 1e-4


def test_subsets_and_sizes_of_the_class_are_those_of_the_files():
    assert images.SUBSETS["all"] is None
    assert MNIST()._files.sizes == FashionMNIST()._files.sizes == (60_000, 10_000)
