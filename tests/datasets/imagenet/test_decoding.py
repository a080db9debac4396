"""Crops, flips, and images as they are decoded."""

import dataclasses
import io
import math
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PIL
import pytest
from errors import refuses
from hypothesis import given
from hypothesis import strategies as st
from image_trees import FEW, HEAVY, names
from PIL import Image

from optexp_jax.datasets.imagenet import (
    ImageNet,
)
from optexp_jax.datasets.imagenet import crops as augment


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_random_boxes_are_inside_and_of_the_allowed_sizes(width, height, seed):
    box = augment.crop_box(width, height, np.random.default_rng(seed))
    assert box == augment.crop_box(width, height, np.random.default_rng(seed))
    left, upper, right, lower = box
    assert 0 <= left < right <= width
    assert 0 <= upper < lower <= height
    w, h = right - left, lower - upper
    # Half a pixel of rounding on each side; the narrowest image gives its centre.
    assert (w - 0.5) / (h + 0.5) <= 4 / 3
    assert (w + 0.5) / (h - 0.5) >= 3 / 4
    if 3 / 4 <= width / height <= 4 / 3:
        assert (w + 0.5) * (h + 0.5) >= 0.08 * width * height


def test_random_boxes_are_distributed_as_defined():
    width, height, n = 1200, 900, 4000
    rng = np.random.default_rng(1)
    boxes = np.array([augment.crop_box(width, height, rng) for _ in range(n)])
    w, h = (boxes[:, 2:] - boxes[:, :2]).T
    # Another sampler: the same law without the limit of ten tries, which is hardly ever reached.
    area, log = rng.uniform(0.08, 1, 10 * n), rng.uniform(-math.log(4 / 3), math.log(4 / 3), 10 * n)
    fits = (area * math.exp(1) ** log <= width / height) & (area / math.e**log <= height / width)
    for found, expected in [
        (w * h / (width * height), area[fits]),
        (np.log(w / h), log[fits]),
        (boxes[:, 0] / np.maximum(width - w, 1), rng.uniform(size=10 * n)),
        (boxes[:, 1] / np.maximum(height - h, 1), rng.uniform(size=10 * n)),
    ]:
        quantiles = np.linspace(0.05, 0.95, 10)
        below = [(expected <= q).mean() for q in np.quantile(found, quantiles)]
        assert abs(below - quantiles).max() < 0.03


def test_boxes_that_never_fit_become_the_largest_centred_one():
    class Largest:
        def uniform(self, low, high):
            return high

    assert augment.crop_box(100, 300, Largest()) == (0, 83, 100, 216)  # 100 : 133
    assert augment.crop_box(300, 90, Largest()) == (90, 0, 210, 90)  # 120 : 90
    assert augment.crop_box(100, 90, Largest()) == (0, 0, 100, 90)


def triangle(n, m):
    """The matrix [m, n] of linear interpolation with antialiasing, from its definition."""
    scale = max(n / m, 1)
    centres = (np.arange(m) + 0.5) * n / m
    weights = 1 - abs(np.arange(n) + 0.5 - centres[:, None]) / scale
    weights = np.maximum(weights, 0)
    return weights / weights.sum(axis=1, keepdims=True)


def shrunk(pixels, width, height):
    rows = np.tensordot(triangle(pixels.shape[0], height), pixels, axes=(1, 0))
    return np.tensordot(rows, triangle(pixels.shape[1], width), axes=(1, 1)).transpose(0, 2, 1)


@pytest.mark.parametrize(
    ("width", "height", "resized", "corner"),
    [
        (512, 400, (327, 256), (52, 16)),  # 327.68 is cut off, 51.5 goes to the even 52
        (300, 301, (256, 256), (16, 16)),
        (100, 259, (256, 663), (16, 220)),  # enlarged; 219.5 goes to the even 220
        (256, 257, (256, 257), (16, 16)),  # 16.5 goes to the even 16
    ],
)
def test_centre_crops_are_those_of_torchvision(width, height, resized, corner):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = augment.centre_crop(Image.fromarray(pixels), 224).astype(float)
    left, upper = corner
    expected = shrunk(pixels, *resized)[upper : upper + 224, left : left + 224]
    assert found.shape == (224, 224, 3)
    assert abs(found - expected).max() < 1.1  # Pillow rounds twice, in fixed point


def test_random_crops_are_resized_boxes_flipped_half_of_the_time():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 50, 3), dtype=np.uint8)
    image, flips = Image.fromarray(pixels), 0
    for seed in range(400):
        found = augment.random_crop(image, 16, np.random.default_rng(seed)).astype(float)
        left, upper, right, lower = augment.crop_box(50, 60, np.random.default_rng(seed))
        expected = shrunk(pixels[upper:lower, left:right], 16, 16)
        errors = [abs(found - e).max() for e in (expected, expected[:, ::-1])]
        assert min(errors) < 1.1
        flips += errors[1] < errors[0]
    assert abs(flips - 200) < 5 * 10


def test_grey_cmyk_and_png_files_are_three_channels(workspace, tree):
    train = ImageNet(**FEW).load(workspace).train
    grey = np.asarray(train.image(names(train).index("n0/n0_1.JPEG")))
    assert (grey == grey[..., :1]).all()
    assert train.image(names(train).index("n0/n0_2.jpg")).mode == "RGB"
    png = names(train).index("n0/n0_0.PNG")
    exact = np.asarray(Image.open(tree / "train" / "n0" / "n0_0.PNG"))
    assert np.array_equal(np.asarray(train.image(png)), exact)


GREYS = np.arange(0, 65536, 13).astype(np.uint16)[:5041].reshape(71, 71)  # 65520 is the last


def encoded(pixels, kind):
    """The bytes of an image file of these pixels."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def decoded(own, content):
    """What becomes of a file, whatever its name says."""
    workspace, folder = own
    (folder / "train" / "n0" / "n0_0.PNG").write_bytes(content)
    train = ImageNet(**FEW).load(workspace).train
    return train.image(names(train).index("n0/n0_0.PNG"))


@pytest.mark.parametrize(
    ("dtype", "kind", "mode"),
    [
        *(("<u2", "PNG", "I;16"), ("<u2", "TIFF", "I;16"), (">u2", "TIFF", "I;16B")),
        *(("<u2", "PPM", "I"), ("<i4", "PPM", "I")),
    ],
)
def test_grey_images_of_16_bits_become_the_nearest_of_8(own, dtype, kind, mode):
    """Pillow cuts them off at 255, and they were white."""
    content = encoded(GREYS.astype(dtype), kind)
    assert Image.open(io.BytesIO(content)).mode == mode
    image = decoded(own, content)
    assert image.mode == "RGB"
    found = np.asarray(image).astype(float)
    assert abs(found - GREYS[..., None] / 257).max() <= 0.5
    assert len(np.unique(found)) == 256


def test_grey_images_of_8_bits_in_16_come_back(own):
    grey = np.arange(256).reshape(16, 16)
    for away in (0, 128, -128):
        wide = np.clip(257 * grey + away, 0, 65535).astype(np.uint16)
        assert np.array_equal(np.asarray(decoded(own, encoded(wide, "PNG")))[..., 1], grey)


@pytest.mark.parametrize(("dtype", "mode"), [("float32", "F"), ("int32", "I")])
def test_pixels_of_which_no_value_is_white_are_refused(own, dtype, mode):
    path = own[1] / "train" / "n0" / "n0_0.PNG"
    with refuses("image-without-white", path=path, mode=mode):
        decoded(own, encoded((GREYS / 65535).astype(dtype), "TIFF"))


OLD = int(PIL.__version__.partition(".")[0]) < 13
READS_ITS_OWN = pytest.mark.skipif(OLD, reason="Pillow before 13 cuts off such files")


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        *(("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("RGB", "PNG"), ("RGBA", "PNG")),
        *(("CMYK", "TIFF"), ("LAB", "TIFF"), ("PA", "TIFF")),
        pytest.param("YCbCr", "TIFF", marks=READS_ITS_OWN),
        *(("CMYK", "JPEG"), ("YCbCr", "JPEG"), ("L", "JPEG")),
    ],
)
def test_images_of_8_bits_are_converted_as_pillow_does(own, mode, kind):
    scene = Image.linear_gradient("L").resize((64, 48))
    colours = Image.merge("RGB", (scene, scene.rotate(180), scene.rotate(90)))
    content = encoded(colours.convert(mode), kind)
    found, plain = decoded(own, content), Image.open(io.BytesIO(content))
    assert np.array_equal(found, plain.convert("RGB"))
    # It is a sensible picture: near the one that was saved, as well as its mode can tell.
    truth = np.asarray(colours if mode not in ("1", "L", "LA") else colours.convert("L"), float)
    error = np.asarray(found, float) - (truth if truth.ndim == 3 else truth[..., None])
    assert abs(error.mean()) < 5
    assert error.std() < (130 if mode == "1" else 30)


def test_transparency_is_dropped(own):
    clear = Image.new("RGBA", (40, 40), (200, 100, 50, 0))
    assert decoded(own, encoded(clear, "PNG")).getpixel((3, 3)) == (200, 100, 50)


def test_augmentation_is_a_function_of_the_random_numbers(workspace):
    train = HEAVY.load(workspace).train
    plain = dataclasses.replace(HEAVY, augment=False).load(workspace).train
    first = train.example(5, np.random.default_rng(1))
    assert first.shape == (16, 16, 3)
    assert np.array_equal(first, train.example(5, np.random.default_rng(1)))
    assert not np.array_equal(first, train.example(5, np.random.default_rng(2)))
    centre = train.example(5, None)
    assert not np.array_equal(first, centre)
    assert np.array_equal(plain.example(5, np.random.default_rng(1)), centre)


def test_many_threads_give_what_one_gives(workspace):
    train = ImageNet(**FEW).load(workspace).train

    def one(i):
        return train.example(i % len(train), np.random.default_rng(i))

    with ThreadPoolExecutor(8) as pool:
        many = list(pool.map(one, range(200)))
    assert all(np.array_equal(one(i), example) for i, example in enumerate(many))


def cut(content):
    return content[: len(content) // 2]


@pytest.mark.parametrize("damage", [cut, lambda content: b"", lambda content: b"a web page"])
def test_damaged_images_are_named(own, damage):
    workspace, folder = own
    for name in ("n1/n1_3.JPEG", "n0/n0_0.PNG"):
        path = folder / "train" / name
        train = ImageNet(**FEW).load(workspace).train
        path.write_bytes(damage(path.read_bytes()))
        with refuses("image-unreadable", path=path):
            train.example(names(train).index(name), None)


def test_a_missing_image_is_named_and_grey_instead_of_damaged_refused(own, monkeypatch):
    workspace, folder = own
    train = ImageNet(**FEW).load(workspace).train
    path = folder / "train" / names(train)[0]
    path.unlink()
    with refuses("image-unreadable", path=path, why=re.compile("No such file")):
        train.example(0, None)
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    with refuses("truncated-images-allowed"):
        train.example(1, None)
