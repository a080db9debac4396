"""Text: the next token is predicted, and tokens have a heavy tail."""

from optexp_jax.datasets.text.base import TextDataset
from optexp_jax.datasets.text.layouts import Sequences, Streams
from optexp_jax.datasets.text.own_files import TextFiles, TokenStream
from optexp_jax.datasets.text.paper_texts import (
    PTB,
    TinyPTB,
    TinyStories,
    TinyWikiText2,
    WikiText2,
    WikiText103,
)
from optexp_jax.datasets.text.shakespeare import Shakespeare, ShakespeareExcerpt
from optexp_jax.datasets.text.tokens import BPE, Characters, Unigram, Words

__all__ = [
    "BPE",
    "PTB",
    "Characters",
    "Sequences",
    "Shakespeare",
    "ShakespeareExcerpt",
    "Streams",
    "TextDataset",
    "TextFiles",
    "TinyPTB",
    "TinyStories",
    "TinyWikiText2",
    "TokenStream",
    "Unigram",
    "WikiText2",
    "WikiText103",
    "Words",
]
