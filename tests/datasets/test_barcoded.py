"""Barcoded and coloured images: exact counts, and each image against a slow construction."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from errors import refuses
from fake_images import check_standardised, number_of, numbers_of, write_four

from optexp_jax.datasets import counts_of
from optexp_jax.datasets.data import Facts
from optexp_jax.datasets.images.barcoded import BarcodedMNIST, barcodes
from optexp_jax.datasets.images.coloured import ColouredMNIST
from optexp_jax.datasets.images.digits import Digits
from optexp_jax.datasets.images.mnist import MNIST, FashionMNIST

SMALL = BarcodedMNIST(Digits(), bits=4, seed=0)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    path = tmp_path_factory.mktemp("workspace")
    write_four(path / "datasets" / "MNIST", (60_000, 10_000))
    return path


@pytest.fixture(scope="module")
def plain(workspace):
    """The joined data set of the paper with inputs in 0 .. 1."""
    return BarcodedMNIST(normalised=False, seed=0).load(workspace)


def as_bytes(inputs):
    """Grey inputs in 0 .. 1 as bytes `[n, height, width]`."""
    found = np.rint(inputs[..., 0] * 255)
    assert abs(found - inputs[..., 0] * 255).max() < 1e-3
    return found.astype(np.uint8)


# -------------------------------------------------------------------------- counts


@pytest.mark.parametrize(
    ("dataset", "classes", "train", "validation", "ratio"),
    [
        (BarcodedMNIST(), 10_250, 101_200, 20_240, None),
        (BarcodedMNIST(joined=False), 10_240, 51_200, 10_240, 1.0),
        (BarcodedMNIST(zero_barcode=False), 10_240, 101_150, 20_230, None),
        (BarcodedMNIST(joined=False, zero_barcode=False), 10_230, 51_150, 10_230, 1.0),
        (BarcodedMNIST(bits=3, per_class=2), 90, 50_160, 10_080, None),
        (BarcodedMNIST(Digits(), bits=8), 2570, 1250 + 12_800, 250 + 2560, None),
        (BarcodedMNIST(FashionMNIST(subset="micro")), 10_250, 4166 + 51_200, 834 + 10_240, None),
        (ColouredMNIST(), 10_010, 100_000, 20_000, None),
        (ColouredMNIST(joined=False), 10_000, 50_000, 10_000, 1.0),
        (ColouredMNIST(many=False), 1010, 100_000, 20_000, None),
        (ColouredMNIST(many=False, joined=False), 1000, 50_000, 10_000, 1.0),
    ],
)
def test_sizes_are_known_without_the_data(dataset, classes, train, validation, ratio):
    assert dataset.num_classes == classes
    assert dataset.facts == Facts(train, validation, ratio)
    assert dataset.num_groups == (2 if dataset.joined else 1)


def check_counts(dataset, data):
    """What is loaded has the sizes that are promised and exact counts."""
    examples = dataset.rare_examples
    for part, n, k in zip(
        (data.train, data.validation), (dataset.facts.train, dataset.facts.validation), examples,
        strict=True,
    ):  # fmt: skip
        assert part.inputs.shape == (n, *dataset.input_shape)
        assert part.inputs.dtype == np.float32
        assert part.inputs.flags.c_contiguous
        assert part.labels.shape == (n,)
        assert part.labels.dtype == np.int32
        counts = counts_of(part.labels, dataset.num_classes)
        assert (counts[10 * dataset.joined :] == k).all()
    assert (data.class_counts == counts_of(data.train.labels, dataset.num_classes)).all()
    assert data.class_counts.dtype == np.int64


def test_the_joined_data_set_of_the_paper(workspace, plain):
    dataset = BarcodedMNIST(normalised=False, seed=0)
    check_counts(dataset, plain)
    assert len(plain.train) == 101_200
    assert plain.class_counts[:10].sum() == 50_000
    assert (plain.class_counts[10:] == 5).all()
    assert 1000 < plain.class_counts.max() / plain.class_counts.min() < 1200
    assert dataset.input_shape == (28, 28, 1)


@pytest.mark.parametrize(
    "dataset",
    [
        SMALL,
        replace(SMALL, joined=False),
        replace(SMALL, zero_barcode=False),
        replace(SMALL, joined=False, zero_barcode=False, per_class=2),
        BarcodedMNIST(Digits(), bits=8, normalised=False, seed=1),
        ColouredMNIST(Digits(), seed=0),
        ColouredMNIST(Digits(), joined=False, many=False, seed=0),
    ],
)
def test_what_is_loaded_has_the_sizes_that_are_promised(dataset):
    check_counts(dataset, dataset.load(Path()))


# ------------------------------------------------------------------------ barcodes


def test_barcodes_are_read_from_left_to_right():
    assert ["".join(map(str, row)) for row in barcodes(10)] == [f"{i:010b}" for i in range(1024)]


def check_barcoded(image, label, source):
    """One image by a slow construction from the image that it is made of."""
    made_of = int(number_of(image[None])[0])
    barcode, digit = divmod(int(label) - 10, 10)
    expected = source.inputs[made_of].copy()
    for column, bit in enumerate(f"{barcode:010b}"):
        if bit == "1":
            expected[0, column] = 255
    assert source.labels[made_of] == digit
    assert np.array_equal(image, expected)
    return made_of


def test_each_image_is_the_one_of_its_class_with_its_barcode(workspace, plain):
    source = MNIST().raw(workspace)[0]
    made_of = []
    for part, first in [(plain.train, 50_000), (plain.validation, 10_000)]:
        sample = [*range(first, first + 100), *range(first + 100, len(part), 97)]
        images, labels = as_bytes(part.inputs[sample]), part.labels[sample]
        made_of.append({check_barcoded(*both, source) for both in zip(images, labels, strict=True)})
    assert not made_of[0] & made_of[1]
    assert np.array_equal(plain.train.labels[50_000:], 10 + np.repeat(np.arange(10_240), 5))
    assert np.array_equal(plain.validation.labels[10_000:], 10 + np.arange(10_240))


def test_plain_images_are_split_in_two_and_rare_ones_come_from_their_part(workspace, plain):
    source = MNIST().raw(workspace)[0]
    parts = []
    for part, n in [(plain.train, 50_000), (plain.validation, 10_000)]:
        all_numbers = numbers_of(part.inputs)
        numbers = all_numbers[:n]
        assert np.array_equal(as_bytes(part.inputs[:n:9]), source.inputs[numbers[::9]])
        assert np.array_equal(part.labels[:n], source.labels[numbers])
        assert np.isin(all_numbers[n:], numbers).all()
        parts.append(numbers)
    together = np.concatenate(parts)
    assert np.array_equal(np.sort(together), np.arange(60_000))
    assert (np.diff(together) < 0).mean() == pytest.approx(0.5, abs=0.02)  # a permutation


def test_images_are_drawn_with_replacement_and_evenly(plain):
    numbers = numbers_of(plain.train.inputs[50_000:]).reshape(10_240, 5)
    assert any(len(set(row)) < 5 for row in numbers.tolist())
    drawn = np.bincount(np.bincount(numbers.ravel(), minlength=60_000))
    # 51,200 draws from 50,000 images: Poisson with mean 1.024, and 10,000 images of validation.
    expected = 50_000 * np.exp(-1.024) * np.array([1, 1.024, 1.024**2 / 2, 1.024**3 / 6])
    expected[0] += 10_000
    np.testing.assert_allclose(drawn[:4], expected, rtol=0.05)


def test_without_barcode_zero_the_other_images_are_the_same(workspace, plain):
    data = BarcodedMNIST(normalised=False, zero_barcode=False, seed=0).load(workspace)
    assert np.array_equal(data.train.inputs[:50_000], plain.train.inputs[:50_000])
    assert np.array_equal(data.train.inputs[50_000:], plain.train.inputs[50_050:])
    assert np.array_equal(data.train.labels[50_000:], plain.train.labels[50_050:] - 10)
    assert np.array_equal(data.validation.inputs[10_000:], plain.validation.inputs[10_010:])


def test_barcodes_alone_are_the_end_of_the_joined_data(workspace, plain):
    data = BarcodedMNIST(normalised=False, joined=False, seed=0).load(workspace)
    assert np.array_equal(data.train.inputs, plain.train.inputs[50_000:])
    assert np.array_equal(data.train.labels, plain.train.labels[50_000:] - 10)
    assert np.array_equal(data.validation.inputs, plain.validation.inputs[10_000:])


def test_barcoded_pixels_are_standardised():
    data, plain_data = SMALL.load(Path()), replace(SMALL, normalised=False).load(Path())
    constant = check_standardised(
        (data.train.inputs, data.validation.inputs),
        (plain_data.train.inputs * 255, plain_data.validation.inputs * 255),
    )
    assert 0 < constant.sum() < 20
    assert (data.train.inputs[:, constant] == 0).all()


def test_more_bits_than_columns_are_refused_with_the_most_that_fit():
    with refuses("too-many-bits", dataset="Digits", bits=10, most=8):
        BarcodedMNIST(Digits())
    with refuses("too-many-bits", dataset="MNIST", bits=17, most=16):
        BarcodedMNIST(bits=17)
    with refuses("too-many-bits", bits=0):
        BarcodedMNIST(bits=0)


def test_images_of_a_seed_are_pinned():
    # Experiments stand for these images: no version of a library may change them.
    for dataset, expected in [
        (SMALL, "da348a596bc30d64"),
        (ColouredMNIST(Digits(), many=False, seed=0), "b967bf91012684e4"),
    ]:
        data = replace(dataset, normalised=False).load(Path())
        images = np.rint(data.train.inputs * 255).astype(np.uint8)
        assert hashlib.sha256(images.tobytes()).hexdigest()[:16] == expected


# ----------------------------------------------------------- what both have in common

BOTH = [SMALL, ColouredMNIST(Digits(), many=False, seed=0)]


@pytest.mark.parametrize("dataset", BOTH)
def test_the_seed_decides_everything(dataset):
    first, again = dataset.load(Path()), dataset.load(Path())
    other = replace(dataset, seed=1).load(Path())
    for part in ("train", "validation"):
        a, b, c = (getattr(data, part) for data in (first, again, other))
        assert np.array_equal(a.inputs, b.inputs)
        assert np.array_equal(a.labels, b.labels)
        n = len(a) - dataset.num_rare_classes * dataset.rare_examples[part == "validation"]
        assert not np.array_equal(a.labels[:n], c.labels[:n])
        assert not np.array_equal(a.inputs[n:], c.inputs[n:])
        assert np.array_equal(a.labels[n:], c.labels[n:])


@pytest.mark.parametrize("dataset", BOTH)
def test_the_pixels_of_the_source_have_no_effect(dataset):
    other = replace(dataset, source=Digits("raw"))
    assert np.array_equal(dataset.load(Path()).train.inputs, other.load(Path()).train.inputs)


@pytest.mark.parametrize("make", [BarcodedMNIST, ColouredMNIST])
def test_without_a_seed_there_is_no_data(tmp_path, make):
    with refuses("seed-not-given", dataset=make.__name__):
        make().load(tmp_path)


@pytest.mark.parametrize("make", [BarcodedMNIST, ColouredMNIST])
@pytest.mark.parametrize(
    ("fields", "code", "values"),
    [
        ({"seed": -1}, "not-an-integer", {"field": "seed", "kind": "{}", "value": -1, "least": 0}),
        (
            {"seed": True},
            "not-an-integer",
            {"field": "seed", "kind": "{}", "value": True, "least": 0},
        ),
        ({"source": "MNIST"}, "wrong-kind", {"field": "source", "kind": "{}", "value": "MNIST"}),
        ({"source": MNIST(flatten=True)}, "source-not-images", {"dataset": "{}"}),
        ({"joined": 1}, "not-a-flag", {"field": "joined", "kind": "{}", "value": 1}),
        ({"normalised": None}, "not-a-flag", {"field": "normalised", "kind": "{}", "value": None}),
    ],
)
def test_impossible_values_are_refused(make, fields, code, values):
    named = {k: v.format(make.__name__) if isinstance(v, str) else v for k, v in values.items()}
    with refuses(code, **named):
        make(**fields)


def test_impossible_values_of_one_of_them_are_refused():
    with refuses("not-an-integer", field="per_class", kind="BarcodedMNIST", value=0, least=1):
        BarcodedMNIST(per_class=0)
    with refuses("not-a-flag", field="zero_barcode", kind="BarcodedMNIST", value=0):
        BarcodedMNIST(zero_barcode=0)
    with refuses("not-a-flag", field="many", kind="ColouredMNIST", value=2):
        ColouredMNIST(many=2)


@pytest.mark.parametrize("dataset", BOTH)
def test_two_groups_are_those_of_the_construction(dataset):
    counts = dataset.load(Path()).class_counts
    for n_groups in (None, 2):
        frequent, rare = dataset.groups(counts, n_groups)
        assert frequent.tolist() == list(range(10))
        assert rare.tolist() == list(range(10, dataset.num_classes))
    assert len(dataset.groups(counts, 5)) == 5
    alone = replace(dataset, joined=False)
    (every,) = alone.groups(alone.load(Path()).class_counts)
    assert every.tolist() == list(range(alone.num_classes))


def test_no_rare_class_of_the_paper_is_among_the_frequent_ones(plain):
    frequent, rare = BarcodedMNIST().groups(plain.class_counts)
    assert (len(frequent), len(rare)) == (10, 10_240)
    assert (plain.class_counts[frequent].sum(), plain.class_counts[rare].sum()) == (50_000, 51_200)


@pytest.mark.parametrize("dataset", [BarcodedMNIST(seed=0), ColouredMNIST(seed=0)])
def test_the_source_is_what_is_missing_and_what_is_prepared(tmp_path, monkeypatch, dataset):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "no-tfds"))
    sentence = dataset.missing(tmp_path)
    assert type(dataset).__name__ in sentence
    assert str(tmp_path / "datasets" / "MNIST") in sentence
    assert not dataset.is_prepared(tmp_path)
    with refuses("data-not-here", dataset=type(dataset).__name__) as caught:
        dataset.load(tmp_path)
    assert str(caught.value) == sentence
    monkeypatch.setattr(MNIST, "prepare", lambda self, *args: calls.append((self, *args)))
    calls = []
    dataset.prepare(tmp_path, print)
    assert calls == [(MNIST(), tmp_path, print)]


@pytest.mark.parametrize("dataset", BOTH)
def test_digits_need_no_files(tmp_path, dataset):
    assert dataset.missing(tmp_path) is None
    assert dataset.is_prepared(tmp_path)
