"""ImageNet and its subsets, on a small tree of real image files that this file makes."""

import dataclasses
import io
import json
import math
import os
import re
import shutil
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from optexp_jax.datasets.data import silent
from optexp_jax.datasets.imagenet import (
    HeavyTailedImageNet,
    ImageNet,
    OneMajorClassImageNet,
    SmallImageNet,
    TenBigClassImageNet,
)
from optexp_jax.datasets.imagenet import crops as augment
from optexp_jax.datasets.imagenet import sources as image_source
from optexp_jax.datasets.imagenet import subset as image_subset
from optexp_jax.datasets.imagenet.subset import choose
from optexp_jax.datasets.imagenet.tree import ImageTree
from optexp_jax.datasets.seeds import random_order
from optexp_jax.errors import OptexpError

COUNTS = [9, 20, 12, 9, 5, 3]  # by frequency, these are the classes 1, 2, 0, 3, 4, 5
FEW = {"num_classes": len(COUNTS), "size": 16}
HEAVY = HeavyTailedImageNet(12, **FEW)
HEAVY_COUNTS = [4, 12, 6, 3, 3, 2]


def picture(rng, mode="RGB"):
    """Coarse noise of a random size: JPEG keeps it."""
    width, height = rng.integers(32, 81, 2)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return coarse.resize((int(width), int(height)), Image.Resampling.BICUBIC).convert(mode)


def write_tree(folder):
    """Class folders of images: a PNG, a grey and a CMYK JPEG are among those of class 0."""
    rng = np.random.default_rng(0)
    for part, counts in [("train", COUNTS), ("val", [2] * 5 + [0])]:
        for k, count in enumerate(counts):
            (folder / part / f"n{k}").mkdir(parents=True)
            for i in range(count):
                kinds = [("PNG", "RGB"), ("JPEG", "L"), ("jpg", "CMYK")] if k == 0 else []
                kind, mode = kinds[i] if i < len(kinds) else ("JPEG", "RGB")
                picture(rng, mode).save(folder / part / f"n{k}" / f"n{k}_{i}.{kind}", quality=90)
    for other in ["notes.txt", "._n3_0.JPEG", ".DS_Store"]:
        (folder / "train" / "n3" / other).write_text("no image")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    write_tree(folder)
    return folder


@pytest.fixture(autouse=True)
def no_tfds(monkeypatch, tmp_path):
    """No copy of TFDS of the user is found."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "no-tfds"))


@pytest.fixture
def workspace(tree, tmp_path):
    """Linked, so that no test writes into the tree; nothing is prepared."""
    folder = tmp_path / "workspace" / "datasets" / "ImageNet"
    folder.mkdir(parents=True)
    for part in ("train", "val"):
        (folder / part).symlink_to(tree / part)
    return tmp_path / "workspace"


@pytest.fixture
def own(tree, tmp_path):
    """A workspace with a tree of its own, that a test may change, and its folder."""
    folder = tmp_path / "own" / "datasets" / "ImageNet"
    shutil.copytree(tree, folder)
    return tmp_path / "own", folder


def names(split):
    return [name.decode() for name in split.images.names]


def file_of(workspace):
    return next((workspace / "datasets" / "ImageNet-index" / "subsets").iterdir())


# ------------------------------------------------------------------------ the numbers


def test_sizes_of_the_heavy_tailed_subset_of_the_paper():
    profile = HeavyTailedImageNet().profile()
    assert profile.tolist() == [math.ceil(1300 / k) for k in range(1, 1001)]
    assert profile.sum() == 10_217
    assert profile[:5].tolist() == [1300, 650, 434, 325, 260]
    assert (profile == 2).sum() == 351
    assert profile.min() == 2
    assert round(profile[0] / profile.sum(), 3) == 0.127


def test_what_is_known_of_subsets_is_known_only_of_imagenet():
    assert SmallImageNet(732).facts.train == 732_000
    assert SmallImageNet(733).facts.train is None  # some classes have 732
    assert HeavyTailedImageNet(10_000).facts.train is None
    assert HeavyTailedImageNet(1400).facts.ratio == 1300 / 2
    for changed in ({"source": "Mine"}, {"num_classes": 100}):
        assert HeavyTailedImageNet(**changed).facts.train is None
        assert ImageNet(**changed).facts.train is None


@pytest.mark.parametrize(
    ("dataset", "counts"),
    [
        (ImageNet(**FEW), COUNTS),
        (HEAVY, HEAVY_COUNTS),
        (SmallImageNet(4, **FEW), [4, 4, 4, 4, 4, 3]),
        (OneMajorClassImageNet(2, 15, **FEW), [2, 15, 2, 2, 2, 2]),
        (TenBigClassImageNet(2, 8, **FEW), [8, 8, 8, 8, 5, 3]),
    ],
)
def test_counts_by_frequency_and_never_more_than_there_are(workspace, dataset, counts):
    data = dataset.load(workspace)
    assert data.class_counts.tolist() == counts
    assert data.train.labels.dtype == np.int32
    assert [f"n{k}" for k in data.train.labels] == [n.split("/")[0] for n in names(data.train)]
    assert len(set(names(data.train))) == len(data.train) == sum(counts)
    assert data.train.example_shape == dataset.input_shape == (16, 16, 3)
    groups = dataset.groups(data.class_counts)
    assert len(groups) == 10
    assert sorted(np.concatenate(groups)) == list(range(6))


def test_validation_is_on_all_images_whatever_the_subset(workspace):
    val = SmallImageNet(1, **FEW).load(workspace).validation
    assert val.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]  # class 5 has none
    assert names(val)[2:4] == ["n1/n1_0.JPEG", "n1/n1_1.JPEG"]


def test_other_files_and_hidden_ones_are_passed_over(workspace):
    listed = [n for n in names(ImageNet(**FEW).load(workspace).train) if n.startswith("n3/")]
    assert listed == [f"n3/n3_{i}.JPEG" for i in range(9)]


# ---------------------------------------------------------------------- the selection


def test_the_selection_is_a_function_of_the_seed(workspace, own):
    first, again = HEAVY.load(workspace), HEAVY.load(own[0])
    other = dataclasses.replace(HEAVY, seed=1).load(workspace)
    assert names(first.train) == names(again.train) != names(other.train)
    assert first.class_counts.tolist() == other.class_counts.tolist()
    smaller = dataclasses.replace(HEAVY, largest=6).load(workspace)
    assert set(names(smaller.train)) < set(names(first.train))


def test_the_selection_is_pinned():
    # numpy promises this stream for ever: results of other machines are on the same images.
    assert random_order(8, 0, "images").tolist() == [5, 2, 4, 0, 7, 3, 6, 1]
    assert random_order(8, 1, "images").tolist() != random_order(8, 0, "evaluated").tolist()


def test_every_image_is_as_likely():
    labels = np.repeat([0, 1], [10, 5])
    hits = np.zeros(15)
    for seed in range(600):
        hits[choose(labels, np.array([4, 2]), seed)] += 1
    assert abs(hits / 600 - 0.4).max() < 5 * math.sqrt(0.4 * 0.6 / 600)


def test_the_second_time_nothing_is_listed_chosen_or_measured(workspace, monkeypatch):
    reports = []
    assert not HEAVY.is_prepared(workspace)
    HEAVY.prepare(workspace, lambda *report: reports.append(report))
    assert HEAVY.is_prepared(workspace)
    assert [r for r in reports if r[1] == r[2]] == [
        ("listing train", 6, 6), ("listing val", 6, 6), ("measuring channels", 30, 30)
    ]  # fmt: skip
    first = HEAVY.load(workspace)

    def refuse(*args):
        raise AssertionError("this was done before")

    monkeypatch.setattr(ImageTree, "scan", refuse)
    monkeypatch.setattr(image_subset, "choose", refuse)
    monkeypatch.setattr(image_subset, "channel_statistics", refuse)
    again = HEAVY.load(workspace)
    assert names(again.train) == names(first.train)
    assert (again.train.mean, again.train.std) == (first.train.mean, first.train.std)
    assert names(again.validation) == names(first.validation)
    dataclasses.replace(HEAVY, augment=False, evaluated=2).load(workspace)  # the same selection
    with pytest.raises(AssertionError, match="before"):
        dataclasses.replace(HEAVY, size=8).load(workspace)  # whose channels are others


def test_the_file_says_what_was_asked_for_and_given_and_nothing_else_is_written(workspace, tree):
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    SmallImageNet(4, **FEW).prepare(workspace)
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before
    folder = workspace / "datasets" / "ImageNet-index"
    file = file_of(workspace)
    assert re.fullmatch(r"SmallImageNet-[0-9a-f]{12}\.npz", file.name)
    new = {path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}
    assert new == {folder / "listing.npz", file}
    assert sum(path.stat().st_size for path in new) < 10_000
    with np.load(file) as content:
        assert content["wanted"].tolist() == [4] * 6
        assert content["counts"].tolist() == [4, 4, 4, 4, 4, 3]
        assert content["files"] == sum(COUNTS)


def test_a_tree_that_changed_is_noticed(own):
    workspace, folder = own
    first = HEAVY.load(workspace)
    file = file_of(workspace)
    gone = folder / "train" / "n1" / "n1_7.JPEG"
    gone.rename(folder / "aside")
    assert not HEAVY.is_prepared(workspace)
    start = f"^{file.stem} was chosen from 58 training images \\(hash [0-9a-f]{{8}}\\) and {folder}"
    end = f"restore them, or remove {file} to choose again\\.$"
    with pytest.raises(OptexpError, match=rf"{start} has 57 now \(hash [0-9a-f]{{8}}\): {end}"):
        HEAVY.load(workspace)
    (folder / "aside").rename(gone.with_name("n1_7b.JPEG"))  # as many as before
    with pytest.raises(OptexpError, match=rf"{start} has 58 now \(hash [0-9a-f]{{8}}\): {end}"):
        HEAVY.load(workspace)
    gone.with_name("n1_7b.JPEG").rename(gone)
    assert names(HEAVY.load(workspace).train) == names(first.train)


def test_damaged_files_are_made_again_or_named(workspace):
    HEAVY.prepare(workspace)
    listing = workspace / "datasets" / "ImageNet-index" / "listing.npz"
    whole = listing.read_bytes()
    listing.write_bytes(whole[: len(whole) // 2])
    HEAVY.load(workspace)
    assert listing.read_bytes()[:4] == whole[:4]
    assert listing.stat().st_size == len(whole)
    file = file_of(workspace)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(OptexpError, match=rf"^The selection {file} is damaged \(.*\): remove it"):
        HEAVY.load(workspace)


def test_the_evaluated_images_are_fixed_and_never_augmented(workspace):
    assert HEAVY.load(workspace).evaluation is None
    assert dataclasses.replace(HEAVY, evaluated=30).load(workspace).evaluation is None
    fixed = dataclasses.replace(HEAVY, evaluated=7)
    data, again = fixed.load(workspace), fixed.load(workspace)
    assert names(data.evaluation) == names(again.evaluation)
    assert len(data.evaluation) == 7
    assert set(names(data.evaluation)) < set(names(data.train))
    assert data.evaluation.mean == data.train.mean
    centre = data.evaluation.example(3, None)
    assert np.array_equal(data.evaluation.example(3, np.random.default_rng(0)), centre)


# ------------------------------------------------------------------ channel statistics


def test_channel_statistics_equal_a_slow_computation(workspace, tree):
    train = HEAVY.load(workspace).train
    means, stds = [], []
    for name in names(train):
        image = Image.open(tree / "train" / name).convert("RGB")
        pixels = augment.centre_crop(image, 16).astype(np.float64)
        means.append([sum(pixels[..., c].ravel()) / 256 / 255 for c in range(3)])
        squares = [sum(pixels[..., c].ravel() ** 2) / 256 / 255**2 for c in range(3)]
        stds.append(np.sqrt(np.array(squares) - np.square(means[-1])))
    np.testing.assert_allclose(train.mean, np.mean(means, axis=0), rtol=1e-12)
    np.testing.assert_allclose(train.std, np.mean(stds, axis=0), rtol=1e-9)


def test_imagenet_itself_has_the_usual_statistics(workspace):
    data = ImageNet(**FEW).load(workspace)
    for split in (data.train, data.validation):
        assert split.mean == (0.485, 0.456, 0.406)
        assert split.std == (0.229, 0.224, 0.225)
    assert ImageNet(**FEW).is_prepared(workspace)


def test_inputs_are_standardised_by_channel(workspace):
    data = HEAVY.load(workspace)
    split = data.validation
    assert split.mean == data.train.mean  # of training
    pixels = np.stack([split.example(i, None) for i in range(len(split))])
    assert pixels.dtype == np.uint8
    expected = (pixels / 255 - split.mean) / split.std
    inputs = jax.jit(split.to_inputs)(jnp.asarray(pixels))
    assert inputs.dtype == jnp.float32
    np.testing.assert_allclose(inputs, expected, atol=2e-6)
    np.testing.assert_allclose(split.to_inputs(jnp.asarray(pixels, float)), expected, atol=2e-6)


# -------------------------------------------------------------------- crops and flips


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


# ---------------------------------------------------------------------------- decoding


def test_grey_cmyk_and_png_files_are_three_channels(workspace, tree):
    train = ImageNet(**FEW).load(workspace).train
    grey = np.asarray(train.image(names(train).index("n0/n0_1.JPEG")))
    assert (grey == grey[..., :1]).all()
    assert train.image(names(train).index("n0/n0_2.jpg")).mode == "RGB"
    png = names(train).index("n0/n0_0.PNG")
    exact = np.asarray(Image.open(tree / "train" / "n0" / "n0_0.PNG"))
    assert np.array_equal(np.asarray(train.image(png)), exact)


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
        with pytest.raises(OptexpError, match=rf"^The image {path} cannot be read \(.+\): restore"):
            train.example(names(train).index(name), None)


def test_a_missing_image_is_named_and_grey_instead_of_damaged_refused(own, monkeypatch):
    workspace, folder = own
    train = ImageNet(**FEW).load(workspace).train
    path = folder / "train" / names(train)[0]
    path.unlink()
    with pytest.raises(OptexpError, match=rf"^The image {path} cannot be read \(.*No such file"):
        train.example(0, None)
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(OptexpError, match=r"^PIL\.ImageFile\.LOAD_TRUNCATED_IMAGES is on"):
        train.example(1, None)


# -------------------------------------------------------------------- what is not right


def test_missing_images_are_told_at_once(tmp_path, no_network):
    where = tmp_path / "datasets" / "ImageNet"
    expected = (
        f"The data set HeavyTailedImageNet is not here: no train and val in {where}; register at "
        "image-net.org and place or link its images there, train/<class>/*.JPEG and "
        "val/<class>/*.JPEG, or let TFDS prepare it (`tfds build imagenet2012 "
        f"--data_dir={tmp_path / 'datasets' / 'tfds'}`); offline, FashionMNIST can be used instead."
    )
    assert HeavyTailedImageNet().missing(tmp_path) == expected
    with pytest.raises(OptexpError) as raised:
        HeavyTailedImageNet().load(tmp_path)
    assert str(raised.value) == expected
    assert not HeavyTailedImageNet().is_prepared(tmp_path)
    (tmp_path / "datasets" / "Mine" / "train").mkdir(parents=True)
    other = ImageNet(source="Mine").missing(tmp_path)
    assert f"ImageNet is not here: no val in {tmp_path / 'datasets' / 'Mine'}; register" in other
    assert "TFDS" not in other


def test_a_tree_of_another_number_of_classes_is_refused(workspace, tree):
    folder = workspace / "datasets" / "ImageNet"
    with pytest.raises(
        OptexpError, match=f"^{folder} has 6 classes, not 1000: .*num_classes=6\\.$"
    ):
        ImageNet().load(workspace)


def test_trees_that_are_not_as_they_should_be(own):
    workspace, folder = own
    assert HEAVY.missing(workspace) is None
    (folder / "val" / "n9").mkdir()
    with pytest.raises(
        OptexpError, match=f"^{folder}/val has a folder n9 and {folder}/train has n"
    ):
        HEAVY.load(workspace)
    (folder / "val" / "n9").rmdir()
    for path in (folder / "train" / "n4").iterdir():
        path.unlink()
    with pytest.raises(OptexpError, match=f"^{folder}/train/n4 holds no images: place those of ea"):
        HEAVY.load(workspace)
    shutil.rmtree(folder / "train" / "n4")
    for path in folder.glob("val/*/*"):  # as the archive of the validation images is
        path.rename(folder / "val" / path.name)
    for path in folder.glob("val/n?"):
        path.rmdir()
    with pytest.raises(OptexpError, match=f"^{folder}/val holds no images: place those of each cl"):
        HEAVY.load(workspace)
    for path in folder.glob("train/n*"):
        shutil.rmtree(path)
    with pytest.raises(OptexpError, match=f"^{folder}/train holds no images: place those of each "):
        HEAVY.load(workspace)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_classes", 0), ("size", 16.0), ("evaluated", 0), ("largest", 0), ("seed", -1),
        ("seed", None), ("augment", 1), ("source", "a/b"), ("source", ".."), ("source", ""),
    ],
)  # fmt: skip
def test_impossible_fields_are_refused(field, value):
    with pytest.raises(OptexpError, match=f"^{field} of HeavyTailedImageNet is .*{value!r}\\.$"):
        HeavyTailedImageNet(**{field: value})


# ----------------------------------------------------------------- TensorFlow Datasets


@pytest.fixture(scope="module")
def prepared(tree, tmp_path_factory):
    """The tree as TFDS prepares `imagenet2012`, with its own code and without TensorFlow."""
    tfds = pytest.importorskip("tensorflow_datasets", reason="TFDS is not installed")
    classes = [f"n{k}" for k in range(6)]

    with tfds.core.registered.skip_registration():

        class Imagenet2012(tfds.core.GeneratorBasedBuilder):
            """The features and keys of the builder of ImageNet in TFDS."""

            VERSION = tfds.core.Version("5.1.0")
            code_path = url_infos = None  # nothing is downloaded

            def _info(self):
                features = tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(encoding_format="jpeg"),
                        "label": tfds.features.ClassLabel(names=classes),
                        "file_name": tfds.features.Text(),
                    }
                )
                return tfds.core.DatasetInfo(builder=self, features=features)

            def _split_generators(self, dl_manager):
                return {"train": self._of("train"), "validation": self._of("val")}

            def _generate_examples(self):
                raise NotImplementedError

            def _of(self, part):
                for path in sorted((tree / part).glob("*/n*_*")):
                    record = {"label": path.parent.name, "file_name": path.name}
                    yield path.name, record | {"image": io.BytesIO(path.read_bytes())}

    tfds.disable_progress_bar()
    root = tmp_path_factory.mktemp("tfds")
    Imagenet2012(data_dir=root, file_format="array_record").download_and_prepare()
    return root / "imagenet2012" / "5.1.0"


def as_tfrecord(folder):
    """Rewrite a copy in the format that is the default of TFDS."""
    module = pytest.importorskip("array_record.python.array_record_module")
    for path in folder.glob("*.array_record*"):
        reader = module.ArrayRecordReader(str(path))
        frames = [struct.pack("<QI", len(r), 0) + r + bytes(4) for r in reader.read_all()]
        reader.close()
        Path(str(path).replace("array_record", "tfrecord")).write_bytes(b"".join(frames))
        path.unlink()
    info = json.loads((folder / "dataset_info.json").read_text()) | {"fileFormat": "tfrecord"}
    (folder / "dataset_info.json").write_text(json.dumps(info))


@pytest.mark.parametrize("rewrite", [lambda folder: None, as_tfrecord])
def test_what_tfds_prepared_is_the_same_data_set(workspace, prepared, tmp_path, rewrite):
    folder = tmp_path / "datasets" / "tfds" / "imagenet2012" / "5.1.0"
    shutil.copytree(prepared, folder)
    rewrite(folder)
    expected, data = HEAVY.load(workspace), HEAVY.load(tmp_path)
    assert HEAVY.is_prepared(tmp_path)
    for one, other in [(expected.train, data.train), (expected.validation, data.validation)]:
        assert names(one) == names(other)
        assert np.array_equal(one.labels, other.labels)
        assert (one.mean, one.std) == (other.mean, other.std)
        for i in range(len(one)):
            assert np.array_equal(one.example(i, None), other.example(i, None))
    with ThreadPoolExecutor(8) as pool:
        many = list(pool.map(lambda i: data.train.example(i % 30, None), range(120)))
    assert all(np.array_equal(expected.train.example(i % 30, None), x) for i, x in enumerate(many))
    assert SmallImageNet(source="Mine", **FEW).missing(tmp_path)  # only ImageNet is looked for


@pytest.mark.parametrize("rewrite", [lambda folder: None, as_tfrecord])
def test_a_copy_of_tfds_that_is_cut_short_is_named(prepared, tmp_path, rewrite):
    folder = tmp_path / "datasets" / "tfds" / "imagenet2012" / "5.1.0"
    shutil.copytree(prepared, folder)
    rewrite(folder)
    path = next(folder.glob("*-train*"))
    path.write_bytes(path.read_bytes()[:-100])
    start = f"^The copy of TensorFlow Datasets in {folder} cannot be read"
    with pytest.raises(OptexpError, match=rf"{start} \(.+\): remove it\.$"):
        HEAVY.load(tmp_path)
    assert not (tmp_path / "datasets" / "ImageNet").exists()


def test_a_tree_comes_before_tfds(workspace, prepared, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", os.fspath(prepared.parents[1]))
    assert isinstance(image_source.find(workspace, "ImageNet"), ImageTree)
    (workspace / "datasets" / "ImageNet" / "val").unlink()
    assert image_source.find(workspace, "ImageNet").folder == prepared
    assert ImageNet(**FEW).load(workspace).class_counts.tolist() == COUNTS
    assert image_source.list_images(
        workspace, "ImageNet", image_source.find(workspace, "ImageNet"), silent
    ).classes == tuple(f"n{k}" for k in range(6))
