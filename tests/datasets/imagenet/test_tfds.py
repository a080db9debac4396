"""ImageNet as TensorFlow Datasets prepared it: the same data as from the tree."""

import io
import json
import os
import shutil
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from errors import refuses
from image_trees import COUNTS, FEW, HEAVY, names

from optexp_jax.datasets.data import silent
from optexp_jax.datasets.imagenet import (
    ImageNet,
    SmallImageNet,
)
from optexp_jax.datasets.imagenet import sources as image_source
from optexp_jax.datasets.imagenet.tree import ImageTree


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
    with refuses("tfds-unreadable", folder=folder):
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
