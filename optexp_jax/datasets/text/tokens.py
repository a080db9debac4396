"""Kinds of tokens: words, characters, or pieces of words, whose tokenizers are trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from optexp_jax.datasets.data import Report
from optexp_jax.datasets.data_files import atomic_data_write
from optexp_jax.datasets.text.normalise import library
from optexp_jax.datasets.text.texts import Text
from optexp_jax.datasets.text.train import UNKNOWN, byte_pairs, most_frequent, unigram
from optexp_jax.errors import OptexpError, tell_from_damage
from optexp_jax.registry import register

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclasses.dataclass(frozen=True)
class _Tokens:
    size: int

    def __post_init__(self) -> None:
        if type(self.size) is not int or self.size < 2:
            raise OptexpError(
                f"The size of {type(self).__name__} must be an integer from 2, which counts "
                f"{UNKNOWN}, not {self.size!r}.",
                code="vocabulary-too-small",
                kind=type(self).__name__,
                size=self.size,
            )

    @property
    def name(self) -> str:
        """Kind and size, for the names of files."""
        return f"{type(self).__name__.lower()}-{self.size}"


@register("Words")
@dataclasses.dataclass(frozen=True)
class Words(_Tokens):
    """Words and punctuation in lower case, by torchtext's `basic_english`; no end-of-line token.

    Args:
        size: number of tokens, and of classes. Token 0 is `<unk>`, for what is not among the
            others: the size - 1 most frequent words of the training text, by count, then by letter.
            A word written `<unk>` is that token. Where words are fewer, the last classes are empty.

    Raises:
        OptexpError: size is not an integer from 2.

    >>> Words(9922).name
    'words-9922'

    Source: the word-level vocabularies of the paper's code.
    """

    def train(self, text: Text, what: str, report: Report) -> Tokenizer:
        """The tokenizer of the words of a text."""
        split = library().pre_tokenizers.WhitespaceSplit()
        return most_frequent(self.size, split, text, what, report)


@register("Characters")
@dataclasses.dataclass(frozen=True)
class Characters(_Tokens):
    """Characters of the text of `Words`: in lower case, one space between words and lines.

    Args:
        size: number of tokens, and of classes, as for `Words`.

    Raises:
        OptexpError: size is not an integer from 2.

    >>> Characters(64).name
    'characters-64'

    Source: the character level of the paper's code, which no experiment uses.
    """

    def train(self, text: Text, what: str, report: Report) -> Tokenizer:
        """The tokenizer of the characters of a text."""
        tokenizers = library()
        split = tokenizers.pre_tokenizers.Split(tokenizers.Regex("."), "isolated")
        return most_frequent(self.size, split, text, what, report)


@register("BPE")
@dataclasses.dataclass(frozen=True)
class BPE(_Tokens):
    """Pieces of words by byte-pair encoding: the most frequent pair of pieces becomes one.

    Case is kept, a piece that starts a word starts with `▁`, and `<unk>` in the text is a word like
    any other, all as for SentencePiece. The same text gives the same pieces, on any machine.

    Args:
        size: number of tokens, and of classes. Token 0 stands for characters rare in the training
            text, 0.05 % of it in all. Tokens are not in the order of their frequency.

    Raises:
        OptexpError: size is not an integer from 2.

    >>> BPE(50_608).name
    'bpe-50608'

    Source: Sennrich et al., Neural Machine Translation of Rare Words with Subword Units, 2016.
    """

    def train(self, text: Text, what: str, report: Report) -> Tokenizer:
        """The tokenizer of the pieces of a text."""
        return byte_pairs(self.size, text, what, report)


@register("Unigram")
@dataclasses.dataclass(frozen=True)
class Unigram(_Tokens):
    """Pieces of words by a unigram language model, which cuts a word in its most likely way.

    Text as for `BPE`. Two trainings on one text may differ in a few rare pieces.

    Args:
        size: number of tokens, and of classes, as for `BPE`.

    Raises:
        OptexpError: size is not an integer from 2.

    >>> Unigram(4000).name
    'unigram-4000'

    Source: Kudo, Subword Regularization, 2018.
    """

    def train(self, text: Text, what: str, report: Report) -> Tokenizer:
        """The tokenizer of the pieces of a text."""
        return unigram(self.size, text, what, report)


Tokens = Words | Characters | BPE | Unigram


def saved(path: Path, size: int, train: Callable[[], Tokenizer]) -> Tokenizer:
    """The tokenizer in a file, which is trained and saved there if there is none.

    Args:
        path: the file, JSON of the `tokenizers` library.
        size: the most tokens it may have.
        train: makes it.

    Raises:
        OptexpError: the file is damaged.
    """
    if not path.is_file():
        trained = train()
        with atomic_data_write(path) as beside:
            beside.write_text(trained.to_str(), encoding="utf-8")
        return trained
    try:
        tokenizer = library().Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no narrower one
        tell_from_damage(path, error)
        raise _damaged(path) from error
    if tokenizer.get_vocab_size() > size:
        raise _damaged(path)
    return tokenizer


def _damaged(path: Path) -> OptexpError:
    return OptexpError(
        f"The tokenizer {path} is damaged: delete it and run again to renew it.",
        code="tokenizer-damaged",
        path=path,
    )
