"""How tokenizers are made from a text: by counting, or by learning pieces of words."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from optexp_jax.datasets.data import Report
from optexp_jax.datasets.text.normalise import basic_english, library, sentence_piece
from optexp_jax.datasets.text.texts import Text
from optexp_jax.errors import OptexpError

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.pre_tokenizers import PreTokenizer

UNKNOWN = "<unk>"
_ALL = 1 << 31
# SentencePiece keeps so much of a text and lets its rarest characters be unknown; and so long a
# piece.
_COVERAGE = 0.9995
_LONGEST = 16


def most_frequent(
    size: int, split: PreTokenizer, text: Text, what: str, report: Report
) -> Tokenizer:
    """A tokenizer of `<unk>` and the most frequent parts of a text, by count, then by letter.

    Args:
        size: tokens in all.
        split: cuts a normalised line into parts.
        text: to count in.
        what: is being done, for the report.
        report: told the bytes that were read.
    """
    tokenizers = library()
    model, trainer = tokenizers.models.WordLevel, tokenizers.trainers.WordLevelTrainer
    tokenizer = tokenizers.Tokenizer(model(unk_token=UNKNOWN))
    tokenizer.normalizer, tokenizer.pre_tokenizer = basic_english(), split
    # `<unk>` is put first by hand: the library gives two indices to a special token of the text.
    counter = trainer(vocab_size=_ALL, special_tokens=[], show_progress=False)
    tokenizer.train_from_iterator(text.batches(what, report), counter)
    rank = tokenizer.get_vocab()
    parts = [part for part in sorted(rank, key=lambda part: rank[part]) if part != UNKNOWN]
    kept = [UNKNOWN, *parts][:size]
    tokenizer.model = model({part: i for i, part in enumerate(kept)}, unk_token=UNKNOWN)
    return tokenizer


def byte_pairs(size: int, text: Text, what: str, report: Report) -> Tokenizer:
    """A tokenizer of at most `size` pieces, by byte-pair encoding; arguments as above."""
    tokenizers = library()
    tokenizer = _pieces(tokenizers.models.BPE(unk_token=UNKNOWN))
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[UNKNOWN],
        max_token_length=_LONGEST,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_common(size, text, what, report), trainer)
    return _pieces(tokenizer.model)  # a special token would be cut out of the text first


def unigram(size: int, text: Text, what: str, report: Report) -> Tokenizer:
    """A tokenizer of at most `size` pieces, by a unigram language model; arguments as above."""
    tokenizers = library()
    tokenizer = _pieces(tokenizers.models.Unigram())
    trainer = tokenizers.trainers.UnigramTrainer(
        vocab_size=size,
        special_tokens=[UNKNOWN],
        unk_token=UNKNOWN,
        max_piece_length=_LONGEST,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_common(size, text, what, report), trainer)
    _, *pieces = json.loads(tokenizer.to_str())["model"]["vocab"]
    # A score below that of any other way to cut it: the library would take an `<unk>` that is
    # written in the text for the unknown.
    unknown = 10 * min(score for _, score in pieces)
    # The library adds in no fixed order, so that scores, and their order, differ a little from one
    # training to the next; the order of the alphabet does not.
    scores = [(UNKNOWN, unknown), *sorted((piece, score) for piece, score in pieces)]
    return _pieces(tokenizers.models.Unigram(scores, unk_id=0))


def _pieces(model: Any) -> Tokenizer:
    tokenizers = library()
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = sentence_piece()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    return tokenizer


def _common(size: int, text: Text, what: str, report: Report) -> Iterator[list[str]]:
    """The text with a space in place of each rare character, so that none is in a piece."""
    kept = _common_characters(text, what, report)
    needed = len(kept) + 2  # with that of a space, and the unknown
    if needed > size:
        raise OptexpError(
            f"A vocabulary of {size} pieces is too small for {text.path}, which has {len(kept)} "
            f"frequent characters: use at least {needed}.",
            code="too-few-pieces",
            path=text.path,
            size=size,
            needed=needed,
            characters=len(kept),
        )
    rare = re.compile(rf"[^\s{re.escape(kept)}]")
    for lines in text.batches(what, report):
        yield [rare.sub(" ", unicodedata.normalize("NFKC", line)) for line in lines]


def _common_characters(text: Text, what: str, report: Report) -> str:
    counts = np.zeros(0x110000, np.int64)
    for lines in text.batches(f"{what}: characters", report):
        whole = unicodedata.normalize("NFKC", "".join(lines))
        found = np.bincount(np.frombuffer(whole.encode("utf-32-le"), np.uint32))
        counts[: len(found)] += found
    counts[[i for i in np.flatnonzero(counts) if chr(i).isspace()]] = 0
    order = np.argsort(-counts, kind="stable")
    covered = np.cumsum(counts[order])
    if not covered[-1]:
        raise OptexpError(
            f"{text.path} is empty: replace it with the original file.",
            code="text-empty",
            path=text.path,
        )
    enough = np.searchsorted(covered, _COVERAGE * covered[-1]) + 1
    return "".join(map(chr, order[:enough].tolist()))
