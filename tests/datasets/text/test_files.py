"""Texts that are missing, damaged, fetched or in an archive."""

import dataclasses
import hashlib
import re
import zipfile

import numpy as np
import pytest
from errors import refuses
from small_texts import SMALL, TEST, TRAIN, VALID, place

from optexp_jax.datasets.data_files import MissingDataError
from optexp_jax.datasets.text import (
    BPE,
    PTB,
    Sequences,
    TinyPTB,
    TinyStories,
    TinyWikiText2,
    WikiText2,
    WikiText103,
    Words,
    corpora,
)
from optexp_jax.datasets.text.texts import Text


@pytest.mark.parametrize("dataset", [PTB(), TinyPTB()])
def test_missing_data_is_told_at_once_and_in_one_sentence(tmp_path, dataset, no_network):
    name = type(dataset).__name__
    sentence = dataset.missing(tmp_path)
    assert all(f"ptb.{part}.txt" in sentence for part in ("train", "valid", "test"))
    assert f"{tmp_path}/datasets/PTB" in sentence
    assert f"`python -m optexp_jax.datasets prepare {name}`" in sentence
    assert not dataset.is_prepared(tmp_path)
    with refuses("data-not-here", MissingDataError, dataset=name) as caught:
        dataset.load(tmp_path)
    assert str(caught.value) == sentence
    assert not list(tmp_path.iterdir())


def test_another_text_under_the_name_of_ptb_is_refused(tmp_path):
    folder = place(tmp_path, corpora.PTB, [TRAIN, VALID, TEST])
    found = re.compile("8f6e9fc705a3943caabf7fc5fa5f007f")
    published = re.compile("f26c4b92c5fdc7b3f8c7cdcb991d8420")
    path = folder / "ptb.train.txt"
    with refuses("text-damaged", path=path, found=found, expected=published):
        PTB(**SMALL).load(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["datasets"]


def test_a_text_of_wikitext_with_too_few_lines_is_refused(tmp_path):
    place(tmp_path, corpora.WIKITEXT103, [TRAIN, VALID, TEST])
    found, expected = re.compile(r"\b3\b.*\b17\b"), re.compile("1,801,350")
    with refuses("text-damaged", found=found, expected=expected):
        WikiText103().load(tmp_path)


def damage_tokens(folder):
    path = folder / "train.npy"
    path.write_bytes(path.read_bytes()[:-3])
    return path, rf"\b{path.stat().st_size}\b.*\b19\b"


def damage_header(folder):
    path = folder / "train.npy"
    path.write_bytes(b"")
    return path, r"\b0\b.*\b19\b"


def damage_length(folder):
    path = folder / "validation.npy"
    np.save(path, np.zeros(4, np.uint8))
    return path, r"\b4\b.*\b10\b"


def damage_presence(folder):
    path = folder / "test.npy"
    path.unlink()
    return path, r"\b0\b.*\b9\b"


def damage_content(folder):
    path = folder / "test.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 0xFF
    path.write_bytes(content)
    return path, ""


def damage_meta(folder):
    path = folder / "meta.json"
    path.write_text(path.read_text()[:40])
    return path, ""


def damage_keys(folder):
    path = folder / "meta.json"
    path.write_text('{"train": {}}')
    return path, ""


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
    path, sizes = damage(folder)
    assert not dataset.is_prepared(small_ptb)
    for use in (dataset.load, dataset.prepare):
        with refuses("data-file-damaged", path=path, why=re.compile(sizes)):
            use(small_ptb)


def test_a_damaged_tokenizer_is_named(small_ptb):
    PTB(**SMALL).load(small_ptb)
    (path,) = (small_ptb / "tokenizers").iterdir()
    path.write_text(path.read_text()[:100])
    with refuses("tokenizer-damaged", path=path):
        TinyPTB(**SMALL).load(small_ptb)
    PTB(**SMALL).load(small_ptb)  # needs it no more


def test_tokenising_that_fails_leaves_nothing_half_done(small_ptb):
    path = corpora.PTB.folder(small_ptb) / "ptb.test.txt"
    path.write_bytes(b"caf\xff")
    with refuses("not-utf-8", path=path):
        PTB(**SMALL).load(small_ptb)
    assert not [path for path in corpora.PTB.folder(small_ptb).iterdir() if path.is_dir()]


def test_an_empty_text_is_refused(small_ptb):
    path = corpora.PTB.folder(small_ptb) / "ptb.valid.txt"
    path.write_text(" \n")
    with refuses("text-empty", path=path):
        PTB(**SMALL).load(small_ptb)


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
    with refuses("archive-without-file", path=path, name="wiki.train.tokens"):
        WIKI.load(small_archive)
    assert list(path.parent.iterdir()) == [path]


def test_another_archive_than_the_published_one_is_named_and_not_opened(small_archive):
    path = corpora.WIKITEXT2.folder(small_archive) / "wikitext-2-v1.zip"
    found = hashlib.md5(path.read_bytes()).hexdigest()
    published = "md5:542ccefacc6c27f945fb54453812b3cd"
    with refuses("archive-damaged", path=path, found=f"md5:{found}", published=published):
        TinyWikiText2(Words(13)).prepare(small_archive)  # whose source is that of the paper
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("a b\n" * 5, None),
        ("a b\n" * 4 + "a b", "4 lines and 10 words"),  # cut inside its last line
        ("a b\n" * 6, "6 lines and 12 words"),
        ("a b c\n" * 5, "5 lines and 15 words"),
    ],
)
def test_texts_are_told_by_their_lines_and_words(tmp_path, content, found):
    (tmp_path / "text").write_text(content)
    difference = corpora.Known(lines=5, words=10).difference(Text(tmp_path / "text"))
    assert difference == (found and (found, "5 lines and 10 words"))


def test_a_part_of_the_stories_is_refused(tmp_path):
    place(tmp_path, corpora.TINY_STORIES, [TRAIN * 20, VALID])
    found, expected = re.compile(r"1,500"), re.compile("2,000,000,000")
    with refuses("text-damaged", found=found, expected=expected):
        TinyStories(BPE(40), Sequences(8)).load(tmp_path)
