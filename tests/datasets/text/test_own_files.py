"""Text and tokens in files of the user's own."""

from pathlib import Path

import numpy as np
import pytest
from errors import refuses

from optexp_jax import Experiment, LearningRate, Problem, identity
from optexp_jax.datasets import Characters, Sequences, TextFiles, TokenStream, Words
from optexp_jax.datasets.loading import loaded
from optexp_jax.datasets.preparing import prepare_once
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import GPT
from optexp_jax.optim import SGD

TEXT = "the cat sat on the mat\nthe dog sat\n" * 4
LAYOUT = Sequences(4)


@pytest.fixture
def text(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text(TEXT)
    (tmp_path / "mine" / "b.txt").write_text("the cat saw the dog on the mat\n")
    np.save(tmp_path / "mine" / "a.npy", np.arange(21, dtype=np.uint16) % 5)
    np.save(tmp_path / "mine" / "b.npy", np.arange(9) % 5)
    return tmp_path / "mine"


def of_text(folder, **kwargs):
    return TextFiles(train=folder / "a.txt", tokens=Words(6), layout=LAYOUT, **kwargs)


def of_tokens(folder, **kwargs):
    return TokenStream(train=folder / "a.npy", vocabulary=5, layout=LAYOUT, **kwargs)


BOTH = {"text": (of_text, "b.txt"), "tokens": (of_tokens, "b.npy")}


def definition(dataset):
    """The data set as an experiment's definition holds it."""
    return identity.decode(identity.encode(dataset))


def test_a_text_becomes_tokens_of_its_own_vocabulary(text, tmp_path):
    data = loaded(of_text(text, validation=text / "b.txt"), tmp_path / "ws")
    # Words by count: the, sat, then by letter; token 0 is what is not among the first five.
    words = dict(zip(["the", "sat", "cat", "dog", "mat"], range(1, 6), strict=True))
    tokens = [words.get(word, 0) for word in TEXT.split()]
    end = (len(tokens) - 1) // 4 * 4
    assert data.train.labels.ravel().tolist() == tokens[1 : end + 1]
    assert data.validation.inputs[0].tolist() == [
        words.get(w, 0) for w in ("the", "cat", "saw", "the")
    ]
    assert of_text(text).vocabulary == 6


def test_tokens_are_mapped_and_split(text, tmp_path):
    data = loaded(of_tokens(text, validation=text / "b.npy"), tmp_path / "ws")
    assert data.train.labels.ravel().tolist() == [i % 5 for i in range(1, 21)]
    assert data.class_counts.tolist() == [4] * 5
    assert len(data.validation) == 2
    assert isinstance(data.train.inputs.base, np.memmap) or isinstance(data.train.inputs, np.memmap)
    assert loaded(of_tokens(text), tmp_path / "ws").validation is None


@pytest.mark.parametrize("kind", BOTH)
def test_identity_is_the_content_wherever_the_file_is(kind, text, tmp_path):
    make, held_out = BOTH[kind]
    moved = tmp_path / "moved"
    text_too = make(text)
    text.rename(moved)
    assert make(moved) == text_too
    assert identity.encode(make(moved)) == identity.encode(text_too)
    assert make(moved, validation=moved / held_out) != text_too
    name = "a.txt" if kind == "text" else "a.npy"
    if kind == "text":
        (moved / name).write_text(TEXT + "more\n")
    else:
        np.save(moved / name, np.arange(22) % 5)
    assert make(moved) != text_too


@pytest.mark.parametrize("kind", BOTH)
def test_another_process_reads_the_copies(kind, text, tmp_path):
    make, held_out = BOTH[kind]
    mine, workspace = make(text, validation=text / held_out), tmp_path / "ws"
    again = definition(mine)
    assert again == mine
    with refuses("data-not-here"):
        again.load(workspace)
    prepare_once(mine, workspace)
    expected = loaded(mine, workspace)
    for path in text.iterdir():
        path.unlink()
    assert mine.missing(workspace) is None
    found = loaded(again, workspace)
    np.testing.assert_array_equal(found.train.labels, expected.train.labels)
    np.testing.assert_array_equal(found.validation.labels, expected.validation.labels)
    assert mine.missing(tmp_path / "other") is not None


@pytest.mark.parametrize("kind", BOTH)
def test_files_that_change_are_named(kind, text, tmp_path):
    make, _ = BOTH[kind]
    mine = make(text)
    (path,) = (Path(mine.train),)
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    with refuses("own-file-changed", path=path):
        prepare_once(mine, tmp_path / "ws")
    path.write_bytes(before)
    prepare_once(mine, tmp_path / "ws")
    copy = mine._files.path(tmp_path / "ws", mine._files.files[0])
    copy.write_bytes(before + b"\n\n")
    with refuses("data-file-damaged", path=copy):
        mine.load(tmp_path / "ws")


def test_what_is_no_text_and_no_tokens_is_refused(text, tmp_path):
    with refuses("file-unreadable"):
        TextFiles(train=tmp_path / "nowhere.txt")
    for kind, fields in ((TextFiles, {}), (TokenStream, {"vocabulary": 5})):
        with refuses("no-file-to-train-on", kind=kind.__name__):
            kind(**fields)
    np.save(text / "floats.npy", np.zeros(5))
    np.save(text / "table.npy", np.zeros((5, 2), int))
    for name in ("a.txt", "floats.npy", "table.npy"):
        with refuses("not-a-token-file", path=text / name):
            TokenStream(train=text / name, vocabulary=5)
    with refuses("not-an-integer", field="vocabulary"):
        TokenStream(train=text / "a.npy", vocabulary=1)
    with refuses("label-outside"):
        loaded(TokenStream(train=text / "a.npy", vocabulary=3, layout=LAYOUT), tmp_path / "ws")
    for make in (of_text, of_tokens):
        long = make(text).__class__
        with refuses("too-few-tokens"):
            fields = {"tokens": Words(6)} if long is TextFiles else {"vocabulary": 5}
            path = text / ("a.txt" if long is TextFiles else "a.npy")
            loaded(long(train=path, layout=Sequences(500), **fields), tmp_path / "ws")


def test_an_experiment_on_a_text_comes_back_from_json(text):
    dataset = TextFiles(train=text / "a.txt", tokens=Characters(9), layout=LAYOUT)
    model = GPT(vocabulary=9, num_classes=9, depth=1, num_heads=1, width=4)
    one = Experiment(Problem(model, dataset, CrossEntropy()), SGD(LearningRate(0)), "t", steps=1)
    assert Experiment.from_json(one.to_json()) == one
