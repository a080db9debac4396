"""ImageNet and its subsets: numbers, selection, statistics, and what is not right."""

import dataclasses
import math
import re
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from image_trees import COUNTS, FEW, HEAVY, HEAVY_COUNTS, file_of, names
from PIL import Image

from optexp_jax.datasets.imagenet import (
    HeavyTailedImageNet,
    ImageNet,
    OneMajorClassImageNet,
    SmallImageNet,
    TenBigClassImageNet,
)
from optexp_jax.datasets.imagenet import crops as augment
from optexp_jax.datasets.imagenet import subset as image_subset
from optexp_jax.datasets.imagenet.subset import choose
from optexp_jax.datasets.imagenet.tree import ImageTree
from optexp_jax.datasets.seeds import random_order


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
    with refuses("selection-of-other-images", path=file, folder=folder) as caught:
        HEAVY.load(workspace)
    was, now = (caught.value.values[name] for name in ("expected", "found"))
    assert (was[0], now[0]) == (58, 57)
    (folder / "aside").rename(gone.with_name("n1_7b.JPEG"))  # as many as before
    with refuses("selection-of-other-images", path=file, expected=was) as caught:
        HEAVY.load(workspace)
    assert caught.value.values["found"][0] == 58
    assert caught.value.values["found"][1] not in (was[1], now[1])  # the hash tells
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
    with refuses("selection-damaged", path=file):
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


def test_missing_images_are_told_at_once(tmp_path, no_network):
    where = tmp_path / "datasets" / "ImageNet"
    sentence = HeavyTailedImageNet().missing(tmp_path)
    assert str(where) in sentence
    build = f"`tfds build imagenet2012 --data_dir={tmp_path / 'datasets' / 'tfds'}`"
    assert build in sentence
    with refuses("data-not-here", dataset="HeavyTailedImageNet") as raised:
        HeavyTailedImageNet().load(tmp_path)
    assert str(raised.value) == sentence
    assert not HeavyTailedImageNet().is_prepared(tmp_path)
    (tmp_path / "datasets" / "Mine" / "train").mkdir(parents=True)
    other = ImageNet(source="Mine").missing(tmp_path)
    assert str(tmp_path / "datasets" / "Mine") in other
    assert "tfds build" not in other


def test_a_tree_of_another_number_of_classes_is_refused(workspace, tree):
    folder = workspace / "datasets" / "ImageNet"
    with refuses("wrong-number-of-classes", folder=folder, found=6, num_classes=1000):
        ImageNet().load(workspace)


def test_trees_that_are_not_as_they_should_be(own):
    workspace, folder = own
    assert HEAVY.missing(workspace) is None
    (folder / "val" / "n9").mkdir()
    with refuses("class-folder-not-in-train", folder=folder, name="n9"):
        HEAVY.load(workspace)
    (folder / "val" / "n9").rmdir()
    for path in (folder / "train" / "n4").iterdir():
        path.unlink()
    with refuses("no-images", folder=folder / "train" / "n4"):
        HEAVY.load(workspace)
    shutil.rmtree(folder / "train" / "n4")
    for path in folder.glob("val/*/*"):  # as the archive of the validation images is
        path.rename(folder / "val" / path.name)
    for path in folder.glob("val/n?"):
        path.rmdir()
    with refuses("no-images", folder=folder / "val"):
        HEAVY.load(workspace)
    for path in folder.glob("train/n*"):
        shutil.rmtree(path)
    with refuses("no-images", folder=folder / "train"):
        HEAVY.load(workspace)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_classes", 0), ("size", 16.0), ("evaluated", 0), ("largest", 0), ("seed", -1),
        ("seed", None), ("augment", 1), ("source", "a/b"), ("source", ".."), ("source", ""),
    ],
)  # fmt: skip
def test_impossible_fields_are_refused(field, value):
    code = {"augment": "not-a-flag", "source": "not-a-folder-name"}.get(field, "not-an-integer")
    with refuses(code, field=field, kind="HeavyTailedImageNet", value=value):
        HeavyTailedImageNet(**{field: value})
