"""Files of images: read whole or not at all, from the first place that has them, offline."""

import dataclasses
import gzip
import hashlib
import http.server
import re
import shutil
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from errors import refuses
from fake_images import FAKE, SIZES, fake, same, with_system, write_four

from optexp_jax.datasets import fetching, tfds_reader
from optexp_jax.datasets.data import silent
from optexp_jax.datasets.data_files import MissingDataError
from optexp_jax.datasets.fetching import NoConnectionError
from optexp_jax.datasets.images.idx import read_idx, write_idx
from optexp_jax.datasets.images.idx_files import NAMES, ImageFiles
from optexp_jax.datasets.images.mnist import MNIST, FashionMNIST
from optexp_jax.datasets.images.mnist_files import FASHION_FILES, MNIST_FILES


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """No copy of TFDS of the user is found, and no proxy stands before this machine."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "no-tfds"))
    monkeypatch.setenv("NO_PROXY", "*")


# -------------------------------------------------------------------------------- IDX


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("shape", [(7,), (3, 28, 28), (0, 5), (2, 3, 4, 5)])
def test_arrays_come_back_from_files(tmp_path, shape, suffix):
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    path = tmp_path / f"file{suffix}"
    write_idx(path, array)
    again = read_idx(path)
    assert again.dtype == np.uint8
    assert again.shape == shape
    assert np.array_equal(again, array)
    packed = path.read_bytes()[:2] == b"\x1f\x8b"
    assert packed == bool(suffix)


def test_bytes_of_a_file_are_those_of_the_format(tmp_path):
    write_idx(tmp_path / "file", np.array([[1, 2, 255]], np.uint8))
    assert (tmp_path / "file").read_bytes() == bytes.fromhex("00000802 00000001 00000003 0102ff")


@pytest.mark.parametrize("array", [np.zeros(3, np.int32), np.uint8(3) * np.ones((), np.uint8)])
def test_only_bytes_with_axes_are_written(tmp_path, array):
    with pytest.raises(ValueError, match=str(array.dtype)):
        write_idx(tmp_path / "file", array)


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


HEADER = bytes.fromhex("00000801 0000000a")  # ten bytes follow


@pytest.mark.parametrize(
    ("name", "content", "expected", "found"),
    [
        ("a", HEADER + bytes(7), 18, 15),
        ("a", HEADER[:6], 8, 6),
        ("a", HEADER[:2], 8, 2),
        ("a", b"", 8, 0),
        ("a", HEADER + bytes(11), 18, 19),
        ("a.gz", packed(HEADER + bytes(7)), 18, 15),
        ("a.gz", packed(HEADER + bytes(11)), 18, 19),
        ("a.gz", packed(HEADER + bytes(10))[:-4], 18, 18),  # without its checksum
    ],
)
def test_a_damaged_file_is_named_with_its_sizes(tmp_path, name, content, expected, found):
    path = tmp_path / name
    path.write_bytes(content)
    with refuses("idx-wrong-size", path=path, expected=expected, found=found):
        read_idx(path)


@pytest.mark.parametrize(
    "content", [bytes.fromhex("00000d01 0000000a") + bytes(40), b"<html>not found"]
)
def test_a_file_of_another_kind_is_named_with_its_beginning(tmp_path, content):
    path = tmp_path / "a"
    path.write_bytes(content)
    with refuses("not-an-idx-file", path=path, found=content[:3]):
        read_idx(path)


@pytest.mark.parametrize("at", [0, 10, 14, -6])
def test_a_damaged_gzip_file_is_named(tmp_path, at):
    content = bytearray(packed(HEADER + bytes(range(10))))
    content[at] ^= 0xFF
    path = tmp_path / "a.gz"
    path.write_bytes(content)
    with refuses("idx-damaged", path=path):
        read_idx(path)


def test_a_gzip_file_cut_in_the_middle_is_named_with_its_sizes(tmp_path):
    path = tmp_path / "a.gz"
    write_idx(path, fake(60, 0)[0])
    path.write_bytes(path.read_bytes()[:20_000])
    with refuses("idx-wrong-size", path=path, expected=47056, whole=False):
        read_idx(path)


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with refuses("file-unreadable", path=tmp_path / "none", cause="No such file or directory"):
        read_idx(tmp_path / "none")


# ----------------------------------------------------------------------------- places


def test_the_sentence_of_missing_data_is_there_at_once(tmp_path, no_network):
    sentence = MNIST().missing(tmp_path)
    assert all(f"{name}[.gz]" in sentence for name in NAMES)
    assert str(tmp_path / "datasets" / "MNIST") in sentence
    assert "`python -m optexp_jax.datasets prepare MNIST`" in sentence
    assert not MNIST().is_prepared(tmp_path)
    with refuses("data-not-here", MissingDataError, dataset="MNIST") as caught:
        MNIST().load(tmp_path)
    assert str(caught.value) == sentence


def test_only_the_absent_files_are_asked_for(tmp_path):
    folder = tmp_path / "datasets" / "Fake"
    write_four(folder, SIZES, ".gz")
    (folder / f"{NAMES[3]}.gz").unlink()
    sentence = FAKE.missing(tmp_path)
    assert sentence is not None
    assert [name for name in NAMES if name in sentence] == [NAMES[3]]
    assert str(folder) in sentence


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_in_the_workspace_are_read_packed_or_not(tmp_path, no_network, suffix):
    arrays = write_four(tmp_path / "datasets" / "Fake", SIZES, suffix)
    assert FAKE.missing(tmp_path) is None
    assert FAKE.is_prepared(tmp_path) == (not suffix)
    assert same(FAKE.read(tmp_path), arrays)


def test_the_workspace_comes_before_the_system_and_plain_files_before_packed(tmp_path):
    system, folder = tmp_path / "system", tmp_path / "datasets" / "Fake"
    arrays = write_four(system, SIZES, ".gz")
    both = with_system(system)
    assert same(both.read(tmp_path), arrays)

    write_four(folder, SIZES, ".gz")
    (folder / f"{NAMES[1]}.gz").unlink()
    assert same(both.read(tmp_path), arrays)  # three files are no data set

    mine = (arrays[1] + 1) % 10
    write_idx(folder / f"{NAMES[1]}.gz", mine)
    assert same(both.read(tmp_path), [arrays[0], mine, *arrays[2:]])
    write_idx(folder / NAMES[1], (mine + 1) % 10)
    assert same(both.read(tmp_path), [arrays[0], (mine + 1) % 10, *arrays[2:]])


def test_a_damaged_file_is_not_made_up_for_from_another_place(tmp_path):
    folder = tmp_path / "datasets" / "Fake"
    write_four(tmp_path / "system", SIZES)
    write_four(folder, SIZES)
    path = folder / NAMES[2]
    path.write_bytes(path.read_bytes()[:-1])
    with refuses("idx-wrong-size", path=path, expected=15696, found=15695):
        with_system(tmp_path / "system").read(tmp_path)


@pytest.mark.parametrize(
    ("index", "array", "wrong"),
    [
        (0, np.zeros((59, 28, 28), np.uint8), r"\(60, 28, 28\).*\(59, 28, 28\)"),
        (2, np.zeros((20, 8, 8), np.uint8), r"\(20, 28, 28\).*\(20, 8, 8\)"),
        (1, np.zeros(20, np.uint8), r"\(60,\).*\(20,\)"),
        (3, np.arange(20, dtype=np.uint8), r"\b9\b.*\b19\b"),
    ],
)
def test_a_file_of_another_data_set_is_refused(tmp_path, index, array, wrong):
    folder = tmp_path / "datasets" / "Fake"
    write_four(folder, SIZES)
    path = folder / NAMES[index]
    write_idx(path, array)
    with refuses("other-content", path=path, dataset="Fake", expected=re.compile(wrong)):
        FAKE.read(tmp_path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_changed_file_of_the_right_size_is_named(tmp_path, suffix):
    folder = tmp_path / "datasets" / "Fake"
    arrays = write_four(folder, SIZES)
    digests = tuple(hashlib.md5((folder / name).read_bytes()).hexdigest() for name in NAMES)
    known = dataclasses.replace(FAKE, digests=digests)
    assert same(known.read(tmp_path), arrays)
    write_idx(folder / NAMES[2], arrays[2][::-1])
    found = hashlib.md5((folder / NAMES[2]).read_bytes()).hexdigest()
    (folder / NAMES[2]).unlink()
    path = folder / f"{NAMES[2]}{suffix}"
    write_idx(path, arrays[2][::-1])
    wrong = re.compile(f"{digests[2]}.*{found}")
    with refuses("other-content", path=path, dataset="Fake", expected=wrong):
        known.read(tmp_path)


# ---------------------------------------------------------------------------- prepare


def test_prepare_unpacks_what_is_on_this_machine(tmp_path, no_network):
    arrays = write_four(tmp_path / "system", SIZES, ".gz")
    told = []
    fake_files = with_system(tmp_path / "system")
    fake_files.prepare(tmp_path, lambda *args: told.append(args))
    assert told == [("Fake: unpacking", i, 4) for i in range(1, 5)]
    assert fake_files.is_prepared(tmp_path)
    assert sorted(p.name for p in (tmp_path / "datasets" / "Fake").iterdir()) == sorted(NAMES)
    shutil.rmtree(tmp_path / "system")
    assert same(fake_files.read(tmp_path), arrays)
    fake_files.prepare(tmp_path, lambda *args: pytest.fail("there was nothing to do"))


@pytest.fixture
def server(tmp_path):
    """The folder of a web server on this machine, and its address."""
    folder = tmp_path / "server"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            if (folder / "busy").is_file():
                (folder / "busy").unlink()
                return self.send_error(503)
            return super().do_GET()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as s:
        thread = threading.Thread(target=s.serve_forever, args=(0.02,))
        thread.start()
        yield folder, f"http://127.0.0.1:{s.server_port}"
        s.shutdown()
        thread.join()


def published(folder: Path, url: str) -> tuple[ImageFiles, list[np.ndarray]]:
    arrays = write_four(folder, SIZES, ".gz")
    sums = tuple(hashlib.md5((folder / f"{n}.gz").read_bytes()).hexdigest() for n in NAMES)
    return ImageFiles("Fake", url, sums, "mnist", "Digits", sizes=SIZES), arrays


def test_prepare_downloads_and_unpacks_and_keeps_what_the_user_placed(tmp_path, server):
    fake_files, arrays = published(*server)
    folder = tmp_path / "datasets" / "Fake"
    folder.mkdir(parents=True)
    shutil.copy(server[0] / f"{NAMES[0]}.gz", folder)
    (server[0] / f"{NAMES[0]}.gz").unlink()  # so this one is not fetched
    fake_files.prepare(tmp_path, silent)
    assert sorted(p.name for p in folder.iterdir()) == sorted([*NAMES, f"{NAMES[0]}.gz"])
    assert same(fake_files.read(tmp_path), arrays)


@pytest.mark.slow
def test_a_download_that_fails_leaves_whole_files_and_can_be_taken_up_again(tmp_path, server):
    fake_files, arrays = published(*server)
    folder, last = tmp_path / "datasets" / "Fake", server[0] / f"{NAMES[3]}.gz"
    content = last.read_bytes()
    last.write_bytes(content[:-1])
    with refuses("download-damaged", dataset="Fake", file=f"{NAMES[3]}.gz"):
        fake_files.prepare(tmp_path, silent)
    assert [p.name for p in folder.iterdir()] == ["fetched"]
    assert {p.name for p in (folder / "fetched").iterdir()} == {f"{n}.gz" for n in NAMES[:3]}
    assert not fake_files.is_prepared(tmp_path)
    last.write_bytes(content)
    for name in NAMES[:3]:
        (server[0] / f"{name}.gz").unlink()  # they are not fetched again
    fake_files.prepare(tmp_path, silent)
    assert {p.name for p in folder.iterdir()} == {*NAMES}
    assert same(fake_files.read(tmp_path), arrays)


def test_a_server_that_is_busy_is_asked_again(tmp_path, server):
    fake_files, arrays = published(*server)
    (server[0] / "busy").touch()
    reports = []
    fake_files.prepare(tmp_path, lambda *report: reports.append(report))
    assert same(fake_files.read(tmp_path), arrays)
    fetched = [(done, total) for what, done, total in reports if what.endswith(".gz") and total]
    assert {total for _, total in fetched} == {
        (server[0] / f"{name}.gz").stat().st_size for name in NAMES
    }
    assert all(done <= total for done, total in fetched)


def test_tfds_downloads_only_what_a_server_refuses_and_where_tensorflow_is(
    tmp_path, monkeypatch, server
):
    asked = []
    monkeypatch.setattr(fetching, "_RETRIES", 0)
    monkeypatch.setattr(tfds_reader, "prepare", lambda *args: asked.append(args))
    monkeypatch.setattr(tfds_reader, "can_prepare", lambda: False)
    refused = ImageFiles("Fake", server[1], ("0" * 32,) * 4, "mnist", "no", sizes=SIZES)
    with refuses("cannot-fetch", dataset="Fake", why=re.compile(r"\b4\d\d\b")):
        refused.prepare(tmp_path, silent)
    monkeypatch.setattr(tfds_reader, "can_prepare", lambda: True)
    with refuses("cannot-fetch", NoConnectionError, dataset="Fake"):
        FAKE.prepare(tmp_path, silent)  # TFDS would try for minutes
    assert asked == []
    with pytest.raises(MissingDataError):  # it left nothing
        refused.prepare(tmp_path, silent)
    assert asked == [("mnist", tmp_path)]


def test_names_and_places_of_the_published_sets(tmp_path):
    sentence = FashionMNIST().missing(tmp_path)
    on_debian = Path("/usr/share/datasets/fashion-mnist").is_dir()
    assert (sentence is None) == on_debian
    for dataset in (MNIST(), FashionMNIST()):
        sums = dataset._files.checksums
        assert len({*sums}) == 4
        assert all(re.fullmatch("[0-9a-f]{32}", s) for s in sums)
    for known in (MNIST_FILES, FASHION_FILES):
        assert len({*known.digests, *known.checksums}) == 8
        assert all(re.fullmatch("[0-9a-f]{32}", s) for s in known.digests)
    assert MNIST()._files.url.startswith("https://")
