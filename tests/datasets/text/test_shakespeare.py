"""The bundled works of Shakespeare."""

import json
import re

import numpy as np
import pytest
from errors import refuses

from optexp_jax.datasets import counts_of
from optexp_jax.datasets.data import Facts, silent
from optexp_jax.datasets.text import (
    Shakespeare,
    Words,
    corpora,
    shakespeare,
    source,
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    workspace = tmp_path_factory.mktemp("shelf")
    Shakespeare().load(workspace)
    return workspace


@pytest.mark.slow
def test_shakespeare_is_mapped_once_prepared(shelf, monkeypatch):
    dataset = Shakespeare()
    assert dataset.is_prepared(shelf)
    monkeypatch.setattr(source, "encode", lambda *_: pytest.fail("tokenised again"))
    data = dataset.load(shelf)
    assert data.train.inputs.shape == data.train.labels.shape == (14_711, 64)
    assert data.train.inputs.dtype == np.uint16


@pytest.mark.slow
def test_the_facts_of_shakespeare_are_those_of_its_data(shelf):
    dataset = Shakespeare()
    data = dataset.load(shelf)
    counts = data.class_counts
    found = Facts(data.train.labels.size, data.validation.labels.size, counts.max() / counts.min())
    assert dataset.facts == found
    assert np.array_equal(counts, counts_of(np.asarray(data.train.labels), 8000))
    groups = dataset.groups(counts)
    assert [len(group) for group in groups] == [2, 3, 5, 10, 18, 38, 97, 311, 998, 6518]


@pytest.mark.slow
def test_words_of_shakespeare_are_in_the_order_of_their_frequency(shelf):
    tokens = Shakespeare.source.encoded(shelf, Words(8000), silent)
    counts = np.bincount(tokens["train"], minlength=8000)
    assert (np.diff(counts[1:]) <= 0).all()
    assert counts.sum() == 941_545
    (path,) = (shelf / "tokenizers").glob("shakespeare-words-8000-*.json")
    vocabulary = json.loads(path.read_text())["model"]["vocab"]
    assert [word for word, i in vocabulary.items() if i < 5] == ["<unk>", ",", ".", "'", "the"]


@pytest.mark.slow
def test_parts_of_shakespeare_are_whole_works_and_together_all(shelf):
    works = shakespeare.works()
    held = [*shakespeare.VALIDATION, *shakespeare.TEST]
    assert len(works) == 42
    assert len(set(held)) == len(held) == 10
    folder = shelf / "datasets" / "Shakespeare"
    texts = [(folder / f"{part}.txt").read_text() for part in ("train", "validation", "test")]
    for name, work in works.items():
        part = (name in shakespeare.VALIDATION) + 2 * (name in shakespeare.TEST)
        assert [work in text for text in texts] == [i == part for i in range(3)]
    assert sum(map(len, texts)) == sum(map(len, works.values()))
    shares = [len(text) / sum(map(len, texts)) for text in texts]
    assert shares == pytest.approx([0.81, 0.09, 0.09], abs=0.01)
    assert not any("===" in text for text in texts)


def test_a_truncated_text_of_shakespeare_is_refused(shelf, tmp_path):
    folder = corpora.Corpus("Shakespeare", ()).folder(tmp_path)
    folder.mkdir(parents=True)
    for part in ("train", "validation", "test"):
        text = (shelf / "datasets" / "Shakespeare" / f"{part}.txt").read_text()
        (folder / f"{part}.txt").write_text(text[:-100] if part == "test" else text)
    with refuses("text-damaged", path=folder / "test.txt", found=re.compile("md5")):
        Shakespeare().load(tmp_path)
