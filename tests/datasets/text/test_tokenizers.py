"""Tokenizers: the rules of basic_english, vocabularies, and files of tokenizers."""

import ast
import os
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from errors import refuses
from hypothesis import given
from hypothesis import strategies as st

from optexp_jax.datasets import hashes
from optexp_jax.datasets import text as package
from optexp_jax.datasets.data import silent
from optexp_jax.datasets.hashes import remembered_sha256
from optexp_jax.datasets.text import BPE, Characters, Unigram, Words, texts
from optexp_jax.datasets.text.normalise import basic_english, library, sentence_piece
from optexp_jax.datasets.text.texts import Text
from optexp_jax.datasets.text.tokens import saved

KINDS = [Words, Characters, BPE, Unigram]

# torchtext's table, written down again as the patterns it uses.
PATTERNS = [
    (r"\'", " '  "), (r"\"", ""), (r"\.", " . "), (r"<br \/>", " "), (r",", " , "), (r"\(", " ( "),
    (r"\)", " ) "), (r"\!", " ! "), (r"\?", " ? "), (r"\;", " "), (r"\:", " "), (r"\s+", " "),
]  # fmt: skip


def normalised(line):
    line = line.lower()
    for pattern, replacement in PATTERNS:
        line = re.sub(pattern, replacement, line)
    return line


def reference(line):
    return normalised(line).split()


def words_of(line):
    split = library().pre_tokenizers.WhitespaceSplit()
    return [word for word, _ in split.pre_tokenize_str(basic_english().normalize_str(line))]


def write(folder, content, name="text.txt"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Text(path)


def trained(tokens, text):
    return tokens.train(text, "", silent)


def vocabulary(tokenizer):
    vocab = tokenizer.get_vocab()
    return sorted(vocab, key=vocab.get)


# ------------------------------------------------------------------------- normalisation

LINES = {
    "He said: 'Don't!'": ["he", "said", "'", "don", "'", "t", "!", "'"],
    "the U.S. economy": ["the", "u", ".", "s", ".", "economy"],
    ' no it was n\'t "black monday" \n': ["no", "it", "was", "n", "'", "t", "black", "monday"],
    "a <unk> b<unk>c N $ 1.5": ["a", "<unk>", "b<unk>c", "n", "$", "1", ".", "5"],
    "x<br />y <br/> <br\t/> <BR />z": ["x", "y", "<br/>", "<br", "/>", "z"],
    '<b"r />x;<br;/>': ["x", "<br", "/>"],
    'se"mi;co:lon': ["semi", "co", "lon"],
    "tab\there\x0bvertical\x0cform\rreturn": ["tab", "here", "vertical", "form", "return"],
    "file\x1cgroup\x1drecord\x1eunit\x1fend": ["file", "group", "record", "unit", "end"],
    "next\x85nbsp\xa0em\u2003line\u2028par\u2029ideo\u3000x": [
        "next", "nbsp", "em", "line", "par", "ideo", "x",
    ],
    "zero\u200bwidth": ["zero\u200bwidth"],
    "ÀÉÎ ß ẞ ǅ": ["àéî", "ß", "ß", "ǆ"],
    "İstanbul ΟΔΟΣ ΣΑΣ.": ["i̇stanbul", "οδος", "σας", "."],
    "(what?) [no] {,}": ["(", "what", "?", ")", "[no]", "{", ",", "}"],
    "``quoted'' don''t": ["``quoted", "'", "'", "don", "'", "'", "t"],
    " = Title = \n": ["=", "title", "="],
    "": [],
    "\n": [],
    " \t ": [],
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_awkward_lines_are_cut_as_torchtext_does(line):
    assert reference(line) == LINES[line]  # the reference itself, by hand
    assert words_of(line) == LINES[line]


assigned = st.characters(exclude_categories=["Cs", "Cn"])
awkward = st.sampled_from([*"'\".,()!?;:Σσİ \t\n\x1c\x85", "<br />", '<b"r />', "Σ.", "'Σ"])
lines = st.lists(st.text(assigned, max_size=4) | awkward, max_size=12).map("".join)


@given(lines)
def test_any_line_is_cut_as_torchtext_does(line):
    assert words_of(line) == reference(line)
    assert basic_english().normalize_str(line) == normalised(line).lstrip(" ")


@given(lines)
def test_pieces_are_cut_from_text_in_compatible_form(line):
    line = "".join(c for c in line if not unicodedata.category(c).startswith("C") or c.isspace())
    found = sentence_piece().normalize_str(line)
    assert found == found.strip()
    assert "  " not in found
    assert unicodedata.is_normalized("NFKC", found)


# ---------------------------------------------------------------------------- vocabulary

STORY = "The cat sat.\nThe <unk> sat on the mat;\n\nÉcole zoo zoo\n"


def test_words_are_in_the_order_of_their_count_then_of_their_letters(tmp_path):
    counts = Counter(word for line in STORY.splitlines() for word in reference(line))
    del counts["<unk>"]
    expected = ["<unk>", *sorted(counts, key=lambda word: (-counts[word], word))]
    assert expected[:4] == ["<unk>", "the", "sat", "zoo"]
    tokenizer = trained(Words(100), write(tmp_path, STORY))
    assert vocabulary(tokenizer) == expected
    assert tokenizer.encode("the <unk> dog, ZOO").ids == [1, 0, 0, 0, 3]


def test_only_the_most_frequent_words_are_kept(tmp_path):
    tokenizer = trained(Words(4), write(tmp_path, STORY))
    assert vocabulary(tokenizer) == ["<unk>", "the", "sat", "zoo"]
    assert tokenizer.encode("the cat sat").ids == [1, 0, 2]


@given(
    st.lists(st.sampled_from(["a", "b", "<unk>", "A", "é", "z"]), max_size=30), st.integers(2, 9)
)
def test_vocabularies_agree_with_a_counter(tmp_path_factory, words, size):
    text = write(tmp_path_factory.mktemp("counts"), " ".join(words))
    counts = Counter(word.lower() for word in words if word != "<unk>")
    expected = ["<unk>", *sorted(counts, key=lambda word: (-counts[word], word))]
    assert vocabulary(trained(Words(size), text)) == expected[:size]


def test_characters_are_those_of_the_normalised_text(tmp_path):
    tokenizer = trained(Characters(50), write(tmp_path, "  Ab\nb'c\n\n"))
    assert tokenizer.encode("  Ab\n").tokens == ["a", "b", " "]
    assert tokenizer.encode("b'c\n").tokens == [*"b ' c "]
    assert tokenizer.encode("\n").ids == []
    assert vocabulary(tokenizer)[:3] == ["<unk>", " ", "b"]
    assert tokenizer.encode("x").ids == [0]


PROSE = "".join(f"To be, or not to be: that is the <unk> question {i % 7}.\n" for i in range(300))


@pytest.mark.parametrize("kind", [BPE, Unigram])
def test_pieces_put_together_are_the_text(tmp_path, kind):
    tokenizer = trained(kind(60), write(tmp_path, PROSE))
    found = tokenizer.encode(" To be, or  not the question 3.\n").tokens
    assert "".join(found) == "▁To▁be,▁or▁not▁the▁question▁3."
    assert vocabulary(tokenizer)[0] == "<unk>"
    assert tokenizer.get_vocab_size() <= 60


@pytest.mark.parametrize("kind", [BPE, Unigram])
def test_unknown_is_a_word_like_any_other_for_pieces(tmp_path, kind):
    tokenizer = trained(kind(200), write(tmp_path, PROSE))
    found = tokenizer.encode("the <unk>")
    assert "".join(found.tokens) == "▁the▁<unk>"
    assert 0 not in found.ids


@pytest.mark.parametrize("kind", [BPE, Unigram])
def test_rare_characters_are_unknown_and_cost_no_class(tmp_path, kind):
    tokenizer = trained(kind(60), write(tmp_path, PROSE + "☃ é"))
    assert not {"☃", "é"} & set("".join(vocabulary(tokenizer)))
    assert tokenizer.encode("☃").ids[-1] == 0


@pytest.mark.parametrize("kind", [BPE, Unigram])
def test_training_again_gives_the_same_pieces(tmp_path, kind):
    text = write(tmp_path, PROSE)
    assert vocabulary(trained(kind(60), text)) == vocabulary(trained(kind(60), text))


def test_byte_pair_encoding_is_the_same_to_the_letter(tmp_path):
    text = write(tmp_path, PROSE)
    assert trained(BPE(60), text).to_str() == trained(BPE(60), text).to_str()


@pytest.mark.parametrize("kind", [BPE, Unigram])
def test_a_vocabulary_too_small_for_the_characters_is_refused(tmp_path, kind):
    text = write(tmp_path, "abcdefgh\n")
    with refuses("too-few-pieces", path=text.path, size=9, characters=8, needed=10):
        trained(kind(9), text)
    assert trained(kind(10), text).get_vocab_size() <= 10


@pytest.mark.parametrize("kind", [BPE, Unigram])
def test_pieces_of_nothing_are_refused(tmp_path, kind):
    with refuses("text-empty", path=re.compile(r"text\.txt$")):
        trained(kind(10), write(tmp_path, "\n\n"))


@pytest.mark.parametrize("kind", KINDS)
def test_text_that_is_not_utf8_is_refused(tmp_path, kind):
    with refuses("not-utf-8", path=re.compile(r"text\.txt$"), reason="invalid start byte"):
        trained(kind(10), write(tmp_path, b"caf\xff\n"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 0, 2.0, True, "5"])
def test_impossible_sizes_are_refused(kind, size):
    with refuses("vocabulary-too-small", kind=kind.__name__, size=size):
        kind(size)


# --------------------------------------------------------------------------------- files


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_tokenizer_is_read_and_not_trained_again(tmp_path, kind):
    path, text = tmp_path / "tokenizers" / "one.json", write(tmp_path, PROSE)
    first = saved(path, 60, lambda: trained(kind(60), text))
    again = saved(path, 60, lambda: pytest.fail("trained again"))
    line = "To be, or not to be, Σ☃\n"
    assert again.encode(line).ids == first.encode(line).ids
    assert vocabulary(again) == vocabulary(first)
    assert [file.name for file in path.parent.iterdir()] == ["one.json"]


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: b"{}"]
)
def test_a_damaged_tokenizer_is_named(tmp_path, damage):
    path, text = tmp_path / "one.json", write(tmp_path, STORY)
    saved(path, 9, lambda: trained(Words(9), text))
    path.write_bytes(damage(path.read_bytes()))
    with refuses("tokenizer-damaged", path=path):
        saved(path, 9, lambda: pytest.fail("trained again"))


def test_a_tokenizer_with_too_many_tokens_is_damaged(tmp_path):
    path, text = tmp_path / "one.json", write(tmp_path, STORY)
    saved(path, 9, lambda: trained(Words(9), text))
    with refuses("tokenizer-damaged", path=path):
        saved(path, 8, lambda: pytest.fail("trained again"))


def test_training_that_fails_leaves_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError):
        saved(tmp_path / "one.json", 9, lambda: 1 // 0)
    assert not list(tmp_path.iterdir())


# --------------------------------------------------------------------------------- texts


def read(text, report=silent):
    return [line for batch in text.batches("", report) for line in batch]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\n\nb", ["a\n", "\n", "b"]),
        ("a\r\nb\rc\x85d\u2028e\x0c\x1cf\n", ["a\r\n", "b\rc\x85d\u2028e\x0c\x1cf\n"]),
    ],
)
def test_only_newlines_end_lines(tmp_path, content, expected):
    text = write(tmp_path, content)
    assert read(text) == expected
    assert text.num_lines() == len(expected)


def test_lines_come_in_batches_and_bytes_are_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "_BATCH", 10)
    content = [f"line é {i}\n" for i in range(100)]
    text, heard = write(tmp_path, "".join(content)), []
    batches = list(text.batches("reading", lambda *args: heard.append(args)))
    assert [line for batch in batches for line in batch] == content
    assert max(map(len, batches)) == 2
    size = text.path.stat().st_size
    assert heard[-1] == ("reading", size, size)
    assert [done for _, done, _ in heard] == sorted(done for _, done, _ in heard)


@given(st.integers(0, 30), st.floats(0.01, 0.99))
def test_a_share_of_the_lines_is_the_first_ones(tmp_path_factory, number, share):
    content = [f"{i}\n" for i in range(number)]
    text = Text(write(tmp_path_factory.mktemp("share"), "".join(content)).path, share)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "_BATCH", 10)
        assert read(text) == content[: int(share * number)]


def test_the_hash_is_remembered_until_the_file_changes(tmp_path, monkeypatch):
    path = write(tmp_path, "first").path
    first = remembered_sha256(path)
    assert first == "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e"
    with monkeypatch.context() as patch:
        patch.setattr(hashes, "hash_of", lambda *_: pytest.fail("read again"))
        assert remembered_sha256(path) == first
    write(tmp_path, "second")
    assert remembered_sha256(path) != first
    write(tmp_path, "first")
    for damage in ("[", "[]", "3", f'{{"{path.name}": null}}', f'{{"{path.name}": [1, 2, 3]}}'):
        (tmp_path / "hashes.json").write_text(damage)
        assert remembered_sha256(path) == first


def test_the_library_is_not_imported_with_the_data_sets():
    for path in Path(package.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] + [getattr(node, "module", "")]
                assert not any(str(name).startswith("tokenizers") for name in names), path


def test_threads_are_chosen_before_the_first_use_and_the_choice_of_the_user_stays(monkeypatch):
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    library()
    assert os.environ["TOKENIZERS_PARALLELISM"] == "true"
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    library()
    assert os.environ["TOKENIZERS_PARALLELISM"] == "false"
