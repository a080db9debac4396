"""Data sets of text: values, and what they load from small texts."""

import re
from collections import Counter

import numpy as np
import pytest
from errors import refuses
from small_texts import SMALL, TEST, TRAIN, VALID, place, slow_streams

from benchmarks.tokenise import KINDS, cost, write_text
from optexp_jax.datasets.data import Facts, silent
from optexp_jax.datasets.text import (
    BPE,
    PTB,
    Sequences,
    Shakespeare,
    Streams,
    TinyPTB,
    TinyStories,
    TinyWikiText2,
    WikiText2,
    WikiText103,
    Words,
    corpora,
    source,
)

SETS = [PTB, TinyPTB, WikiText2, TinyWikiText2, WikiText103, TinyStories, Shakespeare]


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Streams(0, 3), "batch of Streams"),
        (lambda: Streams(2, 3.0), "length of Streams"),
        (lambda: Sequences(True), "length of Sequences"),
        (lambda: PTB(merge_factor=0), "merge_factor of PTB"),
        (lambda: PTB(merge_factor=None), "merge_factor of PTB"),
        (lambda: TinyPTB(evaluated=0), "evaluated of TinyPTB"),
        (lambda: Shakespeare(evaluated=1.5), "evaluated of Shakespeare"),
    ],
)
def test_impossible_values_are_refused(make, named):
    field, _, kind = named.partition(" of ")
    with refuses("not-an-integer", field=field, kind=kind, least=1):
        make()


def reference_tokens(text, vocabulary):
    words = text.lower().replace("'", " '  ").split()
    return [vocabulary.index(word) if word in vocabulary else 0 for word in words]


def reference_vocabulary():
    counts = Counter(TRAIN.lower().replace("'", " '  ").split())
    del counts["<unk>"]
    return ["<unk>", *sorted(counts, key=lambda word: (-counts[word], word))]


@pytest.mark.parametrize(("dataset", "parts"), [(PTB, (TRAIN, VALID)), (TinyPTB, (VALID, TEST))])
def test_small_ptb_agrees_with_a_reference(small_ptb, dataset, parts):
    vocabulary = reference_vocabulary()
    assert vocabulary[:4] == ["<unk>", "the", "n", "sat"]
    assert len(vocabulary) == 13
    data = dataset(**SMALL).load(small_ptb)
    for split, text in zip((data.train, data.validation), parts, strict=True):
        rows = slow_streams(reference_tokens(text, vocabulary), 2, 3)
        targets = [row for chunk in rows for _, row in chunk]
        assert [[t for t in row if t >= 0] for row in split.labels.tolist()] == targets
    expected = np.bincount(data.train.labels[data.train.labels >= 0], minlength=13)
    assert np.array_equal(data.class_counts, expected)
    assert data.class_counts.dtype == np.int64


def test_tiny_ptb_shares_texts_and_tokenizer_with_ptb(small_ptb):
    PTB(**SMALL).load(small_ptb)
    before = sorted((small_ptb / "tokenizers").iterdir())
    tokens = TinyPTB.source.encoded(small_ptb, Words(13), silent)
    assert [len(part) for part in tokens.values()] == [10, 9]
    assert sorted((small_ptb / "tokenizers").iterdir()) == before
    assert re.fullmatch(r"ptb-words-13-[0-9a-f]{12}-v1\.json", before[0].name)


def test_merged_classes_count_merged_targets(small_ptb):
    plain, coarse = PTB(**SMALL), PTB(**SMALL, merge_factor=3)
    assert (plain.num_classes, coarse.num_classes, coarse.vocabulary) == (13, 5, 13)
    counts, merged_counts = plain.load(small_ptb), coarse.load(small_ptb)
    padded = np.pad(counts.class_counts, (0, 2)).reshape(5, 3).sum(axis=1)
    assert merged_counts.class_counts.tolist() == padded.tolist()
    assert np.array_equal(merged_counts.train.inputs, counts.train.inputs)


@pytest.mark.parametrize(
    ("size", "dtype"), [(13, "uint8"), (256, "uint8"), (257, "uint16"), (70_000, "uint32")]
)
def test_tokens_are_mapped_from_the_smallest_type(small_ptb, size, dtype):
    data = PTB(Words(size), Sequences(4)).load(small_ptb)
    for array in (data.train.inputs, data.train.labels):
        assert array.dtype == dtype
        assert isinstance(array, np.memmap)
    assert data.class_counts.shape == (size,)


def test_a_second_load_only_opens_files(small_ptb, monkeypatch):
    dataset = PTB(**SMALL)
    assert not dataset.is_prepared(small_ptb)
    first = dataset.load(small_ptb)
    assert dataset.is_prepared(small_ptb)
    monkeypatch.setattr(source, "encode", lambda *_: pytest.fail("tokenised again"))
    assert np.array_equal(dataset.load(small_ptb).train.labels, first.train.labels)


@pytest.mark.parametrize("name", ["ptb.train.txt", "ptb.valid.txt"])
def test_a_text_that_changes_is_tokenised_again(small_ptb, name):
    dataset = PTB(**SMALL)
    before = dataset.load(small_ptb)
    path = corpora.PTB.folder(small_ptb) / name
    path.write_text(path.read_text() * 2)
    assert not dataset.is_prepared(small_ptb)
    after = dataset.load(small_ptb)
    assert len(after.train) + len(after.validation) > len(before.train) + len(before.validation)


def test_fixed_rows_are_evaluated(small_ptb):
    dataset = PTB(Words(13), Sequences(2), evaluated=4)
    data = dataset.load(small_ptb)
    assert len(data.train) == 9
    assert data.evaluation.inputs.tolist() == data.train.inputs[[0, 2, 4, 6]].tolist()
    assert data.evaluation.labels.tolist() == data.train.labels[[0, 2, 4, 6]].tolist()
    assert PTB(Words(13), Sequences(2), evaluated=9).load(small_ptb).evaluation is None


@pytest.mark.parametrize("layout", [Streams(512, 35), Sequences(35)])
def test_a_text_too_short_for_the_layout_is_refused(small_ptb, layout):
    with refuses("too-few-tokens", dataset="PTB", part="train", found=19, layout=layout):
        PTB(Words(13), layout).load(small_ptb)


def test_tiny_wikitext_is_of_the_first_lines(tmp_path, expected_nothing):
    lines = [f"the word w{i}\n" for i in range(30)]
    contents = ["".join(lines), "".join(lines[10:]), "".join(lines[20:])]
    place(tmp_path, corpora.WIKITEXT2, contents)
    tokens = TinyWikiText2.source.encoded(tmp_path, Words(40), silent)
    assert [len(part) for part in tokens.values()] == [3 * int(1.1 / 3 * 20), 3 * int(1.1 / 3 * 10)]
    whole = WikiText2.source.encoded(tmp_path, Words(40), silent)
    assert np.array_equal(tokens["train"], whole["validation"][: len(tokens["train"])])


def test_stories_have_two_texts(tmp_path, expected_nothing):
    place(tmp_path, corpora.TINY_STORIES, [TRAIN * 20, VALID])
    data = TinyStories(BPE(40), Sequences(8)).load(tmp_path)
    assert data.train.inputs.dtype == np.uint8
    assert data.train.inputs.max() < 40


@pytest.mark.parametrize("kind", SETS)
def test_every_set_is_a_value_with_sizes(kind):
    dataset = kind()
    assert dataset == kind()
    assert len({dataset, kind(merge_factor=2), kind(evaluated=5)}) == 3
    assert dataset.num_classes == dataset.vocabulary == dataset.tokens.size
    assert kind(merge_factor=3).num_classes == -(-dataset.vocabulary // 3)
    assert dataset.num_groups == 10
    assert dataset.input_shape == (dataset.layout.length,)
    assert kind.source.name == kind.__name__
    assert kind(tokens=BPE(77)).facts == Facts()


@pytest.mark.parametrize(
    ("dataset", "train", "validation", "ratio"),
    [
        (PTB(), 923_648, 72_704, None),
        (PTB(layout=Sequences(10)), 924_410, 73_330, None),
        (TinyPTB(), 71_680, 80_896, None),
        (WikiText2(), 2_049_985, 214_410, None),
        (WikiText103(), None, None, None),
        (Shakespeare(), 941_504, 106_368, 18_154.0),
        (Shakespeare(merge_factor=2), 941_504, 106_368, None),
    ],
)
def test_facts_follow_from_the_numbers_of_tokens(dataset, train, validation, ratio):
    assert dataset.facts == Facts(train, validation, ratio)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["words", "bpe"])
def test_memory_hardly_grows_with_the_text(tmp_path, kind):
    grown, counts = [], []
    for megabytes in (4, 20):
        path = tmp_path / f"{megabytes}.txt"
        write_text(path, megabytes)
        found = cost(path, KINDS[kind])
        grown.append(found.peak - found.before)
        counts.append(found.tokens)
    assert counts[1] == pytest.approx(5 * counts[0], rel=0.01)
    assert grown[0] < 250  # megabytes
    assert grown[1] - grown[0] < 40  # the text grew by 16, its tokens as a list would take 100
