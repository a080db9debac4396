"""Copies that TensorFlow Datasets prepared: the same data as from the files, without TensorFlow."""

import json
import re
import shutil
import struct
from pathlib import Path

import pytest
from errors import refuses
from fake_images import FAKE, SIZES, fake, same, with_system, write_four

from optexp_jax.datasets import tfds_reader
from optexp_jax.datasets.data import silent
from optexp_jax.datasets.images.idx import write_idx
from optexp_jax.datasets.images.idx_files import NAMES
from optexp_jax.datasets.images.mnist import MNIST


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """No copy of TFDS of the user is found, and no proxy stands before this machine."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "no-tfds"))
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder that TFDS prepared with its own code, without TensorFlow, and what is in it."""
    tfds = pytest.importorskip("tensorflow_datasets", reason="TFDS is not installed")
    image = pytest.importorskip("PIL.Image")
    data = {"train": fake(SIZES[0], 1), "test": fake(SIZES[1], 2)}

    with tfds.core.registered.skip_registration():

        class Mnist(tfds.core.GeneratorBasedBuilder):
            """The features and keys of the builder of MNIST in TFDS."""

            VERSION = tfds.core.Version("3.0.1")
            code_path = url_infos = None  # nothing is downloaded

            def _info(self):
                features = tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(shape=(28, 28, 1)),
                        "label": tfds.features.ClassLabel(num_classes=10),
                    }
                )
                return tfds.core.DatasetInfo(builder=self, features=features)

            def _split_generators(self, dl_manager):
                return {split: self._generate_examples(split) for split in data}

            def _generate_examples(self, split):
                for i, (x, y) in enumerate(zip(*data[split], strict=True)):
                    yield i, {"image": image.fromarray(x), "label": int(y)}

    root = tmp_path_factory.mktemp("tfds")
    tfds.disable_progress_bar()
    Mnist(data_dir=root, file_format="array_record").download_and_prepare()
    return root, [array for split in data.values() for array in split]


def as_tfrecord(folder: Path) -> None:
    """Rewrite a copy in the format that is the default of TFDS."""
    module = pytest.importorskip("array_record.python.array_record_module")
    for path in folder.glob("*.array_record*"):
        reader = module.ArrayRecordReader(str(path))
        frames = [struct.pack("<QI", len(r), 0) + r + bytes(4) for r in reader.read_all()]
        reader.close()
        Path(str(path).replace("array_record", "tfrecord")).write_bytes(b"".join(frames))
        path.unlink()
    info = folder / "dataset_info.json"
    info.write_text(info.read_text().replace('"array_record"', '"tfrecord"'))


@pytest.mark.parametrize("file_format", tfds_reader.FORMATS)
def test_a_copy_of_tfds_is_read_in_the_order_of_the_files(
    prepared, tmp_path, file_format, no_network
):
    root, arrays = prepared
    copy = tmp_path / "datasets" / "tfds" / "mnist" / "3.0.1"
    shutil.copytree(root / "mnist" / "3.0.1", copy)
    if file_format == "tfrecord":
        as_tfrecord(copy)
    assert json.loads((copy / "dataset_info.json").read_text())["fileFormat"] == file_format
    assert FAKE.missing(tmp_path) is None
    assert same(FAKE.read(tmp_path), arrays)
    FAKE.prepare(tmp_path, silent)
    shutil.rmtree(copy)
    assert same(FAKE.read(tmp_path), arrays)  # from plain files now


def test_the_folder_of_tfds_itself_comes_last_and_the_newest_version_counts(
    prepared, tmp_path, monkeypatch
):
    root, arrays = prepared
    monkeypatch.setenv("TFDS_DATA_DIR", str(root))
    assert tfds_reader.find("mnist", tmp_path) == root / "mnist" / "3.0.1"
    assert tfds_reader.find("fashion_mnist", tmp_path) is None
    assert same(FAKE.read(tmp_path), arrays)
    here = tmp_path / "datasets" / "tfds" / "mnist"
    for version, text in [
        ("3.0.1", '{"fileFormat": "tfrecord"}'),
        ("3.0.2", "{}"),
        ("3.0.10", "{}"),  # without a word on its format, it is of the default one
        ("3.0.11", '{"fileFormat": "riegeli"}'),
        ("3.0.12", "not json"),
    ]:
        (here / version).mkdir(parents=True)
        (here / version / "dataset_info.json").write_text(text)
    (here / "incomplete.abc_3.0.5").mkdir()
    assert tfds_reader.find("mnist", tmp_path) == here / "3.0.10"
    write_four(tmp_path / "system", SIZES)
    flipped = 9 - arrays[1]
    write_idx(tmp_path / "system" / NAMES[1], flipped)
    assert same(with_system(tmp_path / "system").read(tmp_path), [arrays[0], flipped, *arrays[2:]])


def test_a_copy_of_tfds_that_is_cut_short_is_named(prepared, tmp_path):
    copy = tmp_path / "datasets" / "tfds" / "mnist" / "3.0.1"
    shutil.copytree(prepared[0] / "mnist" / "3.0.1", copy)
    path = next(copy.glob("*test*"))
    path.write_bytes(path.read_bytes()[:-100])
    with refuses("tfds-unreadable", folder=copy):
        FAKE.read(tmp_path)


def test_a_copy_of_tfds_in_its_default_format_that_is_cut_short_is_named(prepared, tmp_path):
    copy = tmp_path / "datasets" / "tfds" / "mnist" / "3.0.1"
    shutil.copytree(prepared[0] / "mnist" / "3.0.1", copy)
    as_tfrecord(copy)
    path = next(copy.glob("*test*"))
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    sizes = re.compile(rf"{path.name}.*\b{len(content)}\b.*\b{len(content) - 1}\b")
    with refuses("tfds-unreadable", folder=copy, why=sizes):
        FAKE.read(tmp_path)
    first = 16 + struct.unpack_from("<Q", content)[0]
    path.write_bytes(content[first:])  # a whole record is gone
    with refuses("tfds-cut-short", folder=copy, split="test", expected=20, found=19):
        FAKE.read(tmp_path)


def test_a_copy_of_tfds_of_another_size_is_refused(prepared, tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared[0]))
    with refuses("other-content", path=re.compile(r"3\.0\.1$"), dataset="MNIST"):
        MNIST().load(tmp_path)


def test_without_the_package_no_copy_is_found(prepared, tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared[0]))
    monkeypatch.setattr(tfds_reader.importlib.util, "find_spec", lambda name: None)
    assert tfds_reader.find("mnist", tmp_path) is None
    assert not tfds_reader.can_prepare()


def test_what_tfds_cannot_prepare_is_said_in_one_sentence(tmp_path, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets", reason="TFDS is not installed")
    calls = []

    class Builder:
        def download_and_prepare(self):
            raise ConnectionError("no route")

    monkeypatch.setattr(tfds, "builder", lambda *a, **k: calls.append((a, k)) or Builder())
    with refuses("tfds-cannot-prepare", dataset="mnist", why=re.compile("no route")):
        tfds_reader.prepare("mnist", tmp_path)
    where = tmp_path / "datasets" / "tfds"
    assert calls == [(("mnist",), {"data_dir": where, "file_format": "array_record"})]
