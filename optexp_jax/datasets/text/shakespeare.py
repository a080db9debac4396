"""The works of Shakespeare, which come with the library."""

from __future__ import annotations

import dataclasses
import gzip
import re
from importlib import resources
from pathlib import Path
from typing import ClassVar

from optexp_jax.datasets.data_files import atomic_data_write
from optexp_jax.datasets.text.base import TextDataset
from optexp_jax.datasets.text.corpora import Corpus
from optexp_jax.datasets.text.layouts import Layout, Sequences
from optexp_jax.datasets.text.source import TextSource
from optexp_jax.datasets.text.tokens import Tokens, Words
from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_number
from optexp_jax.registry import register

# A tragedy, a comedy, a history and poems each, 9 % of the letters: whole works, so that no line of
# a part is of a scene of another. The Passionate Pilgrim repeats two of the sonnets.
VALIDATION = ("macbeth", "twelfth_night", "henry_v", "rape_of_lucrece", "lovers_complaint")
TEST = ("julius_caesar", "as_you_like_it", "richard_ii", "sonnets", "passionate_pilgrim")

_NAMES = ("train.txt", "validation.txt", "test.txt")


def works() -> dict[str, str]:
    """The text of every work by its name: 42 plays and poems."""
    file = resources.files("optexp_jax.datasets.text") / "shakespeare.txt.gz"
    whole = gzip.decompress(file.read_bytes()).decode()
    _, *named = re.split(r"^=== (\w+) ===\n", whole, flags=re.MULTILINE)
    return dict(zip(named[::2], named[1::2], strict=True))


@dataclasses.dataclass(frozen=True)
class _Bundled(Corpus):
    def missing(self, workspace: Path) -> list[str]:
        """Nothing: the texts are part of the library."""
        del workspace
        return []

    def unpack(self, workspace: Path) -> None:
        """Write the texts that are not there."""
        paths = [self.folder(workspace) / name for name in self.files]
        if all(path.is_file() for path in paths):
            return
        named = works()
        held = (VALIDATION, TEST)
        train = [name for name in named if not any(name in part for part in held)]
        for path, part in zip(paths, (train, *held), strict=True):
            with atomic_data_write(path) as beside:
                text = "".join(named[name] for name in part)
                beside.write_text(text, encoding="utf-8", newline="\n")


_CORPUS = _Bundled("Shakespeare", _NAMES)


@register("Shakespeare")
@dataclasses.dataclass(frozen=True)
class Shakespeare(TextDataset):
    """The works of Shakespeare, in the public domain: offline, and small. Whole works are held out.

    Args:
        tokens: the 8,000 most frequent words of the training text, `<unk>` among them.
        layout: sequences of 64.
        merge_factor: so many neighbouring tokens are one class.
        evaluated: rows of the training data on which training metrics are measured; None for all.

    Raises:
        OptexpError: an impossible value.

    >>> Shakespeare().num_classes, Shakespeare().facts.train
    (8000, 941504)

    Source: 42 plays and poems of William Shakespeare, in plain text.
    """

    tokens: Tokens = dataclasses.field(default=Words(8000))
    layout: Layout = dataclasses.field(default=Sequences(64))

    source: ClassVar[TextSource] = TextSource("Shakespeare", _CORPUS)
    known_tokens: ClassVar[tuple[int, int] | None] = (941_545, 106_431)
    known_ratio: ClassVar[float | None] = 72_616 / 4


@register("ShakespeareExcerpt")
@dataclasses.dataclass(frozen=True)
class ShakespeareExcerpt(TextDataset):
    """The first lines of the training and validation texts of `Shakespeare`.

    Vocabularies are those of its whole training text, so that some words never appear.

    Args:
        tokens: the 1,000 most frequent words, `<unk>` among them.
        layout: sequences of 32.
        merge_factor: so many neighbouring tokens are one class.
        evaluated: rows of the training data on which training metrics are measured; None for all.
        share: part of the lines of every text that is used.

    Raises:
        OptexpError: an impossible value.

    >>> ShakespeareExcerpt(share=0.1).num_classes
    1000

    Source: not in the paper; in the manner of its TinyPTB, for a machine without a GPU.
    """

    tokens: Tokens = dataclasses.field(default=Words(1000))
    layout: Layout = dataclasses.field(default=Sequences(32))
    share: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("share of ShakespeareExcerpt", self.share)
        if not 0 < self.share <= 1:
            raise OptexpError(
                f"share of ShakespeareExcerpt must be above 0 and at most 1, not {self.share!r}.",
                code="not-a-share",
                field="share",
                kind="ShakespeareExcerpt",
                value=self.share,
            )
        object.__setattr__(self, "share", float(self.share))

    @property
    def assumed_tokens(self) -> tuple[int, int]:
        """So many words of the whole texts as lines are used."""
        train, validation = Shakespeare.known_tokens or (0, 0)
        return round(self.share * train), round(self.share * validation)

    @property
    def source(self) -> TextSource:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The texts, cut."""
        return TextSource(f"ShakespeareExcerpt-{self.share:g}", _CORPUS, share=self.share)
