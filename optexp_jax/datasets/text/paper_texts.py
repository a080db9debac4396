"""The texts of the paper: Penn Treebank, WikiText, and TinyStories of its code."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from optexp_jax.datasets.text import corpora
from optexp_jax.datasets.text.base import TextDataset
from optexp_jax.datasets.text.layouts import Layout, Sequences, Streams
from optexp_jax.datasets.text.source import TextSource
from optexp_jax.datasets.text.tokens import BPE, Tokens, Words
from optexp_jax.registry import register


@register("PTB")
@dataclasses.dataclass(frozen=True)
class PTB(TextDataset):
    """The Penn Treebank, sections of the Wall Street Journal: 924,412 words to train on.

    Files in `datasets/PTB`: ptb.train.txt, ptb.valid.txt, ptb.test.txt.

    Args:
        tokens: all 9,922 words of the training text, `<unk>` among them; or another vocabulary.
        layout: 512 streams in chunks of 35, as in the paper: 52 chunks, 923,648 targets.
        merge_factor: so many neighbouring tokens are one class.
        evaluated: rows of the training data on which training metrics are measured; None for all.

    Raises:
        OptexpError: an impossible value.

    >>> PTB().num_classes, PTB().facts.train, PTB(merge_factor=10).num_classes
    (9922, 923648, 993)

    Source: Marcus et al., 1993, prepared by Mikolov et al., 2010; the paper, figure 12.
    """

    tokens: Tokens = dataclasses.field(default=Words(9922))
    layout: Layout = dataclasses.field(default=Streams(512, 35))

    source: ClassVar[TextSource] = TextSource("PTB", corpora.PTB)
    known_tokens: ClassVar[tuple[int, int] | None] = (924_412, 73_339)


@register("TinyPTB")
@dataclasses.dataclass(frozen=True)
class TinyPTB(TextDataset):
    """The validation text of PTB to train on, its test text for validation.

    The vocabulary is that of the training text of PTB, so that 3,977 of the 9,922 classes never
    appear. Files as for `PTB`, in `datasets/PTB`.

    Args:
        tokens: as for `PTB`.
        layout: 1,024 streams in chunks of 35, as in the paper: 2 chunks, 71,680 targets.
        merge_factor: so many neighbouring tokens are one class.
        evaluated: rows of the training data on which training metrics are measured; None for all.

    Raises:
        OptexpError: an impossible value.

    >>> TinyPTB().num_classes, TinyPTB().facts.train
    (9922, 71680)

    Source: the paper, figures 5, 13, 14 and 23.
    """

    tokens: Tokens = dataclasses.field(default=Words(9922))
    layout: Layout = dataclasses.field(default=Streams(1024, 35))

    source: ClassVar[TextSource] = TextSource("TinyPTB", corpora.PTB, first=1)
    known_tokens: ClassVar[tuple[int, int] | None] = (73_339, 82_114)


@register("WikiText2")
@dataclasses.dataclass(frozen=True)
class WikiText2(TextDataset):
    """WikiText-2, articles of Wikipedia: 2,049,990 words to train on.

    Files in `datasets/WikiText2`: wiki.train.tokens, wiki.valid.tokens, wiki.test.tokens, or
    wikitext-2-v1.zip, which holds them.

    Args:
        tokens: all 28,782 words of the training text, `<unk>` among them; or another vocabulary.
        layout: sequences of 35.
        merge_factor: so many neighbouring tokens are one class.
        evaluated: rows of the training data on which training metrics are measured; None for all.

    Raises:
        OptexpError: an impossible value.

    >>> WikiText2().num_classes, WikiText2(BPE(4000)).num_classes
    (28782, 4000)

    Source: Merity et al., Pointer Sentinel Mixture Models, 2017.
    """

    tokens: Tokens = dataclasses.field(default=Words(28_782))
    layout: Layout = dataclasses.field(default=Sequences(35))

    source: ClassVar[TextSource] = TextSource("WikiText2", corpora.WIKITEXT2)
    known_tokens: ClassVar[tuple[int, int] | None] = (2_049_990, 214_417)


@register("TinyWikiText2")
@dataclasses.dataclass(frozen=True)
class TinyWikiText2(TextDataset):
    """The first lines of the validation text of WikiText-2 to train on, of its test to validate.

    Of both texts 1.1 / 3 of the lines are used. The vocabulary is that of the training text of
    WikiText-2. Files as for `WikiText2`, in `datasets/WikiText2`.

    Args:
        tokens: as for `WikiText2`.
        layout: sequences of 35.
        merge_factor: so many neighbouring tokens are one class.
        evaluated: rows of the training data on which training metrics are measured; None for all.

    Raises:
        OptexpError: an impossible value.

    >>> TinyWikiText2().num_classes
    28782

    Source: the paper's code.
    """

    tokens: Tokens = dataclasses.field(default=Words(28_782))
    layout: Layout = dataclasses.field(default=Sequences(35))

    source: ClassVar[TextSource] = TextSource(
        "TinyWikiText2", corpora.WIKITEXT2, first=1, share=1.1 / 3
    )


@register("WikiText103")
@dataclasses.dataclass(frozen=True)
class WikiText103(TextDataset):
    """WikiText-103, articles of Wikipedia: 540 MB to train on.

    Files in `datasets/WikiText103`: wiki.train.tokens, wiki.valid.tokens, wiki.test.tokens, or
    wikitext-103-v1.zip, which holds them.

    Args:
        tokens: 50,608 pieces of words, as in the paper.
        layout: sequences of 1,024.
        merge_factor: so many neighbouring tokens are one class.
        evaluated: rows of the training data on which training metrics are measured; None for all.

    Raises:
        OptexpError: an impossible value.

    >>> WikiText103(evaluated=1000).num_classes
    50608

    Source: Merity et al., Pointer Sentinel Mixture Models, 2017; the paper, figure 1.
    """

    tokens: Tokens = dataclasses.field(default=BPE(50_608))
    layout: Layout = dataclasses.field(default=Sequences(1024))

    source: ClassVar[TextSource] = TextSource("WikiText103", corpora.WIKITEXT103)


@register("TinyStories")
@dataclasses.dataclass(frozen=True)
class TinyStories(TextDataset):
    """Stories for small children, written by GPT-4: 2.2 GB to train on.

    Files in `datasets/TinyStories`: TinyStoriesV2-GPT4-train.txt, TinyStoriesV2-GPT4-valid.txt.

    Args:
        tokens: 10,000 pieces of words.
        layout: sequences of 512.
        merge_factor: so many neighbouring tokens are one class.
        evaluated: rows of the training data on which training metrics are measured; None for all.

    Raises:
        OptexpError: an impossible value.

    >>> TinyStories().num_classes
    10000

    Source: Eldan and Li, TinyStories, 2023; in the paper's code, where no experiment uses it.
    """

    tokens: Tokens = dataclasses.field(default=BPE(10_000))
    layout: Layout = dataclasses.field(default=Sequences(512))

    source: ClassVar[TextSource] = TextSource("TinyStories", corpora.TINY_STORIES)
