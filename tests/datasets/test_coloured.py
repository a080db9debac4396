"""Coloured images: each against a slow construction."""

import colorsys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from errors import refuses
from fake_images import check_standardised, number_of, numbers_of, write_four
from hypothesis import given
from hypothesis import strategies as st

from optexp_jax.datasets.images.coloured import ColouredMNIST, colours, different, tinted
from optexp_jax.datasets.images.digits import Digits
from optexp_jax.datasets.images.mnist import MNIST


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    path = tmp_path_factory.mktemp("workspace")
    write_four(path / "datasets" / "MNIST", (60_000, 10_000))
    return path


@pytest.fixture(scope="module")
def micro(workspace):
    """Coloured images of a small source."""
    return ColouredMNIST(MNIST("micro"), many=False, normalised=False, seed=0).load(workspace)


def test_colours_are_those_of_the_standard_library():
    for hues, saturations in [(50, 20), (20, 5)]:
        expected = [
            colorsys.hsv_to_rgb((i + 1) / hues, (j + 1) / saturations, 1.0)
            for j in range(saturations)
            for i in range(hues)
        ]
        np.testing.assert_allclose(colours(hues, saturations), expected, atol=1e-6)


def slow_colours(image, hue, saturation):
    """One grey image in a colour, pixel by pixel."""
    pixels = [colorsys.hsv_to_rgb(hue, saturation, int(v) / 255) for v in image.ravel()]
    return np.array(pixels).reshape(*image.shape, 3)


@pytest.mark.slow
def test_each_coloured_image_is_the_one_of_its_class_in_its_colour(workspace, micro):
    source = MNIST("micro").raw(workspace)[0]
    place = dict(zip(number_of(source.inputs).tolist(), range(5000), strict=True))
    for part, first, k in [(micro.train, 4166, 50), (micro.validation, 834, 10)]:
        assert np.array_equal(part.labels[first:], 10 + np.repeat(np.arange(1000), k))
        for i in range(first, len(part), 1777):
            digit, colour = divmod(int(part.labels[i]) - 10, 100)
            made_of = place[int(numbers_of(part.inputs[i : i + 1])[0])]
            assert source.labels[made_of] == digit
            hue, saturation = (colour % 20 + 1) / 20, (colour // 20 + 1) / 5
            expected = slow_colours(source.inputs[made_of], hue, saturation)
            np.testing.assert_allclose(part.inputs[i], expected, atol=1e-6)


def test_grey_images_come_first_in_three_equal_channels(workspace, micro):
    source = MNIST("micro").raw(workspace)[0]
    place = dict(zip(number_of(source.inputs).tolist(), range(5000), strict=True))
    inputs = micro.train.inputs[:4166]
    rows = [place[n] for n in numbers_of(inputs).tolist()]
    for channel in range(3):
        np.testing.assert_allclose(inputs[..., channel], source.inputs[rows] / 255, atol=1e-7)
    assert np.array_equal(micro.train.labels[:4166], source.labels[rows])


def test_each_colour_has_its_own_different_images_of_its_own_part(micro):
    numbers = numbers_of(micro.train.inputs)
    rare = numbers[4166:].reshape(10, 100, 50)
    assert all(len(set(row)) == 50 for row in rare.reshape(-1, 50).tolist())
    # The code of the paper drew all colours from the 50 images of the first.
    assert all(len(set(digit.ravel().tolist())) > 350 for digit in rare)
    validation = numbers_of(micro.validation.inputs)
    assert np.isin(rare, numbers[:4166]).all()
    assert np.isin(validation, validation[:834]).all()
    assert not np.isin(validation, numbers).any()


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(0, 5))
def test_different_numbers_are_different_and_in_range(seed, k, extra):
    sizes = np.array([[k + extra], [k]])
    drawn = different(sizes, k, seed, "test")
    assert drawn.shape == (2, 1, k)
    assert (drawn >= 0).all()
    assert (drawn < sizes[..., None]).all()
    assert all(len(set(row)) == k for row in drawn.reshape(2, k).tolist())


def test_every_set_of_numbers_is_as_likely_as_any_other():
    drawn = np.sort(different(np.full(20_000, 5), 2, 0, "test"), axis=1)
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 10
    assert abs(counts - 2000).max() < 5 * (2000 * 0.9) ** 0.5


@pytest.mark.slow
def test_coloured_pixels_are_standardised_by_channel():
    dataset = ColouredMNIST(Digits(), many=False, seed=0)
    data, plain_data = dataset.load(Path()), replace(dataset, normalised=False).load(Path())
    constant = check_standardised(
        (data.train.inputs, data.validation.inputs),
        (plain_data.train.inputs, plain_data.validation.inputs),
    )
    assert constant.shape == (8, 8, 3)
    assert plain_data.train.inputs.min() == 0
    assert plain_data.train.inputs.max() == 1


def test_tinted_images_follow_the_grey_ones():
    grey, image = np.full((1, 1, 1), 51, np.uint8), np.full((1, 1, 1), 255, np.uint8)
    found = tinted(image, np.array([[1, 0.5, 0]], np.float32), grey)
    assert found.shape == (2, 1, 1, 3)
    np.testing.assert_allclose(found.reshape(2, 3), [[0.2, 0.2, 0.2], [1, 0.5, 0]], rtol=1e-6)


def test_too_few_images_of_a_class_are_told(monkeypatch):
    monkeypatch.setattr("optexp_jax.datasets.images.coloured.FEW", (2, 2, (150, 1)))
    with refuses("too-few-images", dataset="ColouredMNIST", source="Digits", wanted=150):
        ColouredMNIST(Digits(), many=False, seed=0).load(Path())
