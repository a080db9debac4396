"""Data sets of text: layouts, tokens in files, and the bundled works."""

import dataclasses
import hashlib
import itertools
import json
import re
import zipfile
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.tokenise import KINDS, cost, write_text
from optexp_jax.datasets import counts_of
from optexp_jax.datasets.data import Facts, silent
from optexp_jax.datasets.files import MissingDataError
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
    shakespeare,
    source,
)
from optexp_jax.datasets.text.layouts import merged, sequences, streams
from optexp_jax.datasets.text.texts import Text
from optexp_jax.errors import OptexpError
from optexp_jax.problem import MiniBatch

SETS = [PTB, TinyPTB, WikiText2, TinyWikiText2, WikiText103, TinyStories, Shakespeare]


# ------------------------------------------------------------------------------- layouts


def slow_streams(tokens, batch, length):
    """Chunks as the paper's loader makes them: a list of (inputs, targets) by stream."""
    size = len(tokens) // batch
    rows = [tokens[i * size : (i + 1) * size] for i in range(batch)]
    for start in range(0, size - 1, length):
        end = min(start + length, size - 1)
        yield [(row[start:end], row[start + 1 : end + 1]) for row in rows]


@given(st.integers(1, 60), st.integers(1, 6), st.integers(1, 7))
def test_streams_agree_with_a_loop(number, batch, length):
    tokens = np.arange(5, number + 5, dtype=np.uint8)
    chunks = list(slow_streams(tokens.tolist(), batch, length))
    split = streams(tokens, batch, length)
    assert split.inputs.shape == split.labels.shape == (len(chunks) * batch, length)
    assert split.inputs.dtype == np.uint8
    for row, (inputs, targets) in enumerate(itertools.chain.from_iterable(chunks)):
        padding = length - len(inputs)
        assert split.inputs[row].tolist() == inputs + [0] * padding
        assert split.labels[row].tolist() == targets + [-1] * padding
    assert (split.labels >= 0).sum() == Streams(batch, length).targets(number)


@given(st.integers(0, 60), st.integers(1, 7))
def test_sequences_agree_with_a_loop(number, length):
    tokens = np.arange(number)
    starts = [i for i in range(0, number, length) if i + length < number]
    split = sequences(tokens, length)
    assert split.inputs.tolist() == [list(range(i, i + length)) for i in starts]
    assert split.labels.tolist() == [list(range(i + 1, i + length + 1)) for i in starts]
    assert Sequences(length).targets(number) == split.labels.size


def tokens_of_no_memory(number):
    return np.broadcast_to(np.uint16(7), number)


def test_chunks_of_ptb_are_those_of_the_paper():
    split = PTB().layout.split(tokens_of_no_memory(924_412))
    assert len(split) == 52 * 512
    assert MiniBatch(512, shuffle=False).steps_per_epoch(len(split)) == 52
    assert (split.labels >= 0).sum() == 923_648 == PTB().facts.train
    by_chunk = (split.labels.reshape(52, 512, 35) >= 0).sum(axis=(1, 2)) // 512
    assert by_chunk.tolist() == [35] * 51 + [19]


def test_chunks_of_tiny_ptb_are_those_of_the_paper():
    split = TinyPTB().layout.split(tokens_of_no_memory(73_339))
    assert len(split) == 2 * 1024
    assert (split.labels >= 0).sum() == split.labels.size == 71_680 == TinyPTB().facts.train


def test_sequences_of_wikitext103_are_those_of_the_paper():
    split = WikiText103().layout.split(tokens_of_no_memory(109_836_289))
    assert split.labels.shape == split.inputs.shape == (107_262, 1024)
    assert split.labels.size == 109_836_288


def test_sequences_are_views_and_labels_the_next_tokens():
    tokens = np.arange(1000, dtype=np.uint16)
    split = sequences(tokens, 8)
    assert np.shares_memory(split.inputs, tokens)
    assert np.shares_memory(split.labels, tokens)
    assert np.array_equal(split.labels, split.inputs + 1)


@given(st.integers(1, 9))
def test_merged_labels_are_quotients_and_padding_stays(factor):
    split = streams(np.arange(23), 2, 4)
    labels = merged(split, factor).labels
    expected = [-1 if t < 0 else t // factor for t in split.labels.ravel().tolist()]
    assert labels.ravel().tolist() == expected
    assert merged(split, factor).inputs is split.inputs


@pytest.mark.parametrize("layout", [Streams(2, 3), Sequences(3)])
def test_texts_too_short_make_no_rows(layout):
    for number in range(2):
        assert layout.targets(number) == len(layout.split(np.arange(number))) == 0


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
    with pytest.raises(OptexpError, match=f"^{re.escape(named)} is an integer from 1, not "):
        make()


# ------------------------------------------------------------------- a small Penn Treebank

TRAIN = " the cat n't <unk> sat on the mat \n \n the dog <unk> sat N times $ the end \n"
VALID = " the dog saw a cat and the mat \n the end \n"
TEST = " a mat \n the the cat \n sat on N dogs \n"
SMALL = {"tokens": Words(13), "layout": Streams(2, 3)}


def place(workspace, corpus, contents):
    folder = corpus.folder(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in zip(corpus.files, contents, strict=True):
        (folder / name).write_text(content)
    return folder


@pytest.fixture
def expected_nothing(monkeypatch):
    monkeypatch.setattr(corpora, "EXPECTED", {})


@pytest.fixture
def small_ptb(tmp_path, expected_nothing):
    place(tmp_path, corpora.PTB, [TRAIN, VALID, TEST])
    return tmp_path


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
    with pytest.raises(OptexpError, match=r"asks for more than the 19 train tokens of PTB: choose"):
        PTB(Words(13), layout).load(small_ptb)


# -------------------------------------------------------------------- missing and damaged


@pytest.mark.parametrize("dataset", [PTB(), TinyPTB()])
def test_missing_data_is_told_at_once_and_in_one_sentence(tmp_path, dataset, no_network):
    name = type(dataset).__name__
    message = (
        f"The data set {name} is not here: no ptb.train.txt, ptb.valid.txt, ptb.test.txt in "
        f"{tmp_path}/datasets/PTB; place them there, or run `python -m optexp_jax.datasets prepare "
        f"{name}` where there is a network; offline, Shakespeare can be used instead."
    )
    assert dataset.missing(tmp_path) == message
    assert not dataset.is_prepared(tmp_path)
    with pytest.raises(MissingDataError, match=f"^{re.escape(message)}$"):
        dataset.load(tmp_path)
    assert not list(tmp_path.iterdir())


def test_another_text_under_the_name_of_ptb_is_refused(tmp_path):
    folder = place(tmp_path, corpora.PTB, [TRAIN, VALID, TEST])
    message = (
        f"{folder}/ptb.train.txt is damaged or another text: its md5 is "
        "8f6e9fc705a3943caabf7fc5fa5f007f, of the one that was published its md5 is "
        "f26c4b92c5fdc7b3f8c7cdcb991d8420; put that there, or delete it and prepare the data set "
        "again."
    )
    with pytest.raises(OptexpError, match=f"^{re.escape(message)}$"):
        PTB(**SMALL).load(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["datasets"]


def test_a_text_of_wikitext_with_too_few_lines_is_refused(tmp_path):
    place(tmp_path, corpora.WIKITEXT103, [TRAIN, VALID, TEST])
    with pytest.raises(OptexpError, match=r"it has 3 lines and 17 words, of .* 1,801,350 lines"):
        WikiText103().load(tmp_path)


def damage_tokens(folder):
    path = folder / "train.npy"
    path.write_bytes(path.read_bytes()[:-3])
    return path, f"it has {path.stat().st_size} bytes, too few for 19 tokens"


def damage_header(folder):
    path = folder / "train.npy"
    path.write_bytes(b"")
    return path, "it has 0 bytes, too few for 19 tokens"


def damage_length(folder):
    path = folder / "validation.npy"
    np.save(path, np.zeros(4, np.uint8))
    return path, "it has 4 tokens, not 10"


def damage_presence(folder):
    path = folder / "test.npy"
    path.unlink()
    return path, "it has 0 bytes, too few for 9 tokens"


def damage_content(folder):
    path = folder / "test.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 0xFF
    path.write_bytes(content)
    return path, "its content has changed"


def damage_meta(folder):
    path = folder / "meta.json"
    path.write_text(path.read_text()[:40])
    return path, "it cannot be read"


def damage_keys(folder):
    path = folder / "meta.json"
    path.write_text('{"train": {}}')
    return path, "it cannot be read"


@pytest.mark.parametrize(
    "damage",
    [
        damage_tokens,
        damage_header,
        damage_length,
        damage_presence,
        damage_content,
        damage_meta,
        damage_keys,
    ],
)
def test_damaged_files_of_tokens_are_named(small_ptb, damage):
    dataset = PTB(**SMALL)
    dataset.load(small_ptb)
    (folder,) = corpora.PTB.folder(small_ptb).glob("ptb-words-13-*")
    path, why = damage(folder)
    message = f"{path} is damaged ({why}): delete the folder {folder} and run again to renew it."
    assert not dataset.is_prepared(small_ptb)
    for use in (dataset.load, dataset.prepare):
        with pytest.raises(OptexpError, match=f"^{re.escape(message)}$"):
            use(small_ptb)


def test_a_damaged_tokenizer_is_named(small_ptb):
    PTB(**SMALL).load(small_ptb)
    (path,) = (small_ptb / "tokenizers").iterdir()
    path.write_text(path.read_text()[:100])
    with pytest.raises(OptexpError, match=f"^The tokenizer {re.escape(str(path))} is damaged: "):
        TinyPTB(**SMALL).load(small_ptb)
    PTB(**SMALL).load(small_ptb)  # needs it no more


def test_tokenising_that_fails_leaves_nothing_half_done(small_ptb):
    (corpora.PTB.folder(small_ptb) / "ptb.test.txt").write_bytes(b"caf\xff")
    with pytest.raises(OptexpError, match=r"ptb\.test\.txt is not text in UTF-8"):
        PTB(**SMALL).load(small_ptb)
    assert not [path for path in corpora.PTB.folder(small_ptb).iterdir() if path.is_dir()]


def test_an_empty_text_is_refused(small_ptb):
    (corpora.PTB.folder(small_ptb) / "ptb.valid.txt").write_text(" \n")
    with pytest.raises(OptexpError, match=r"ptb\.valid\.txt is empty: put the original there\.$"):
        PTB(**SMALL).load(small_ptb)


# ------------------------------------------------------------------- fetching and archives


def test_prepare_fetches_what_is_missing_and_reports(tmp_path, expected_nothing, monkeypatch):
    contents = dict(zip(corpora.PTB.files, [TRAIN, VALID, TEST], strict=True))
    fetched, heard = [], []

    def fetch(name, remotes, folder, offline, report):
        for remote in remotes:
            fetched.append((name, remote.name, remote.url.rpartition("/")[2], remote.checksum[:4]))
            (folder / remote.name).write_text(contents[remote.name])

    monkeypatch.setattr(corpora, "fetch", fetch)
    place(tmp_path, corpora.PTB, [TRAIN, VALID, TEST])
    (corpora.PTB.folder(tmp_path) / "ptb.valid.txt").unlink()
    dataset = TinyPTB(**SMALL)
    dataset.prepare(tmp_path, lambda *args: heard.append(args))
    assert fetched == [("TinyPTB", "ptb.valid.txt", "ptb.valid.txt", "md5:")]
    assert dataset.is_prepared(tmp_path)
    assert ("TinyPTB: learning words-13", len(TRAIN), len(TRAIN)) in heard
    assert ("TinyPTB: tokens of validation", len(TEST), len(TEST)) in heard
    dataset.prepare(tmp_path)
    assert len(fetched) == 1


def test_what_sources_publish_are_whole_checksums():
    remotes = [*corpora.PTB.remotes, *corpora.WIKITEXT2.remotes, *corpora.WIKITEXT103.remotes]
    assert len({remote.checksum for remote in remotes}) == 5
    assert all(re.fullmatch("md5:[0-9a-f]{32}", remote.checksum) for remote in remotes)


@pytest.fixture
def small_archive(tmp_path, expected_nothing, monkeypatch):
    (remote,) = corpora.WIKITEXT2.remotes
    corpus = dataclasses.replace(
        corpora.WIKITEXT2, remotes=(dataclasses.replace(remote, checksum=None),)
    )
    source = dataclasses.replace(WikiText2.source, corpus=corpus)
    monkeypatch.setattr(WikiText2, "source", source)
    folder = corpus.folder(tmp_path)
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "wikitext-2-v1.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in zip(corpora.WIKITEXT2.files, [TRAIN, VALID, TEST], strict=True):
            archive.writestr(f"wikitext-2/{name}", text * 50)
    return tmp_path


WIKI = WikiText2(Words(13), Sequences(3))


def test_texts_are_taken_from_the_archive(small_archive, monkeypatch):
    monkeypatch.setattr(corpora, "fetch", lambda *_: pytest.fail("fetched"))
    assert WIKI.missing(small_archive) is None
    assert not WIKI.is_prepared(small_archive)
    WIKI.prepare(small_archive)
    found = (corpora.WIKITEXT2.folder(small_archive) / "wiki.valid.tokens").read_text()
    assert found == VALID * 50
    assert WIKI.load(small_archive).train.labels.size == 19 * 50 // 3 * 3


def test_an_archive_unpacked_by_hand_will_do(small_archive):
    folder = corpora.WIKITEXT2.folder(small_archive)
    archive = folder / "wikitext-2-v1.zip"
    with zipfile.ZipFile(archive) as members:
        members.extractall(folder)
    archive.unlink()
    assert WIKI.missing(small_archive) is None
    assert len(WIKI.load(small_archive).train) == 19 * 50 // 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:60] + bytes(8) + raw[68:],
        lambda raw: raw.replace(b"wiki.train", b"tiki.train"),
        lambda raw: b"",
    ],
)
def test_a_damaged_archive_is_named_and_leaves_no_text(small_archive, damage):
    path = corpora.WIKITEXT2.folder(small_archive) / "wikitext-2-v1.zip"
    path.write_bytes(damage(path.read_bytes()))
    message = (
        f"{path} is damaged or another archive, as no wiki.train.tokens can be read from it: "
        "delete it and prepare the data set again."
    )
    with pytest.raises(OptexpError, match=f"^{re.escape(message)}$"):
        WIKI.load(small_archive)
    assert list(path.parent.iterdir()) == [path]


def test_another_archive_than_the_published_one_is_named_and_not_opened(small_archive):
    path = corpora.WIKITEXT2.folder(small_archive) / "wikitext-2-v1.zip"
    found = hashlib.md5(path.read_bytes()).hexdigest()
    message = (
        f"{path} is damaged or another archive: its checksum is md5:{found}, that of the one that "
        "was published md5:542ccefacc6c27f945fb54453812b3cd; delete it and prepare the data set "
        "again."
    )
    with pytest.raises(OptexpError, match=f"^{re.escape(message)}$"):
        TinyWikiText2(Words(13)).prepare(small_archive)  # whose source is that of the paper
    assert list(path.parent.iterdir()) == [path]


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


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("a b\n" * 5, None),
        ("a b\n" * 4 + "a b", "it has 4 lines and 10 words"),  # cut inside its last line
        ("a b\n" * 6, "it has 6 lines and 12 words"),
        ("a b c\n" * 5, "it has 5 lines and 15 words"),
    ],
)
def test_texts_are_told_by_their_lines_and_words(tmp_path, content, found):
    (tmp_path / "text").write_text(content)
    difference = corpora.Known(lines=5, words=10).difference(Text(tmp_path / "text"))
    assert difference == (found and (found, "it has 5 lines and 10 words"))


def test_a_part_of_the_stories_is_refused(tmp_path):
    place(tmp_path, corpora.TINY_STORIES, [TRAIN * 20, VALID])
    with pytest.raises(OptexpError, match=r"it has 1,500 bytes, .* it has 2,000,000,000 or more"):
        TinyStories(BPE(40), Sequences(8)).load(tmp_path)


# --------------------------------------------------------------------------- Shakespeare


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    workspace = tmp_path_factory.mktemp("shelf")
    Shakespeare().load(workspace)
    return workspace


def test_shakespeare_is_mapped_once_prepared(shelf, monkeypatch):
    dataset = Shakespeare()
    assert dataset.is_prepared(shelf)
    monkeypatch.setattr(source, "encode", lambda *_: pytest.fail("tokenised again"))
    data = dataset.load(shelf)
    assert data.train.inputs.shape == data.train.labels.shape == (14_711, 64)
    assert data.train.inputs.dtype == np.uint16


def test_the_facts_of_shakespeare_are_those_of_its_data(shelf):
    dataset = Shakespeare()
    data = dataset.load(shelf)
    counts = data.class_counts
    found = Facts(data.train.labels.size, data.validation.labels.size, counts.max() / counts.min())
    assert dataset.facts == found
    assert np.array_equal(counts, counts_of(np.asarray(data.train.labels), 8000))
    groups = dataset.groups(counts)
    assert [len(group) for group in groups] == [2, 3, 5, 10, 18, 38, 97, 311, 998, 6518]


def test_words_of_shakespeare_are_in_the_order_of_their_frequency(shelf):
    tokens = Shakespeare.source.encoded(shelf, Words(8000), silent)
    counts = np.bincount(tokens["train"], minlength=8000)
    assert (np.diff(counts[1:]) <= 0).all()
    assert counts.sum() == 941_545
    (path,) = (shelf / "tokenizers").glob("shakespeare-words-8000-*.json")
    vocabulary = json.loads(path.read_text())["model"]["vocab"]
    assert [word for word, i in vocabulary.items() if i < 5] == ["<unk>", ",", ".", "'", "the"]


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
    with pytest.raises(OptexpError, match=r"test\.txt is damaged or another text: its md5 is"):
        Shakespeare().load(tmp_path)


# ------------------------------------------------------------------------------- all sets


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


# -------------------------------------------------------------------------------- memory


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["words", "bpe"])
def test_memory_hardly_grows_with_the_text(tmp_path, kind):
    grown, counts = [], []
    for megabytes in (10, 50):
        path = tmp_path / f"{megabytes}.txt"
        write_text(path, megabytes)
        found = cost(path, KINDS[kind])
        grown.append(found.peak - found.before)
        counts.append(found.tokens)
    assert counts[1] == pytest.approx(5 * counts[0], rel=0.01)
    assert grown[0] < 250  # megabytes
    assert grown[1] - grown[0] < 50  # the text grew by 40, its tokens as a list would take 300
