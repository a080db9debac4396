"""Base class of text data sets: tokens as inputs, the next tokens as targets."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import ClassVar

import numpy as np

from optexp_jax.datasets.base import ShapeSplit, counts_of_one_size, unknown_shapes
from optexp_jax.datasets.classes import ByFrequency, counts_of
from optexp_jax.datasets.data import Data, Facts, Report, Split, silent
from optexp_jax.datasets.data_files import MissingDataError
from optexp_jax.datasets.text.layouts import Layout, merged, require_length
from optexp_jax.datasets.text.source import TextSource
from optexp_jax.datasets.text.tokens import Tokens
from optexp_jax.field_checks import check_integer, check_kind

_LARGE = 100_000_000  # tokens of a text of unknown size: they count for little beside the model


@dataclasses.dataclass(frozen=True)
class TextDataset(ByFrequency):
    """A text whose next token is predicted; subclasses say which text, and give defaults.

    Args:
        tokens: `Words`, `Characters`, `BPE` or `Unigram`.
        layout: `Streams` or `Sequences`.
        merge_factor: so many neighbouring tokens are one class, as targets; inputs stay tokens.
        evaluated: rows of the training data, spread evenly, on which training metrics are measured;
            None for all.

    Raises:
        OptexpError: merge_factor or evaluated is not an integer from 1.
    """

    tokens: Tokens
    layout: Layout
    merge_factor: int = 1
    evaluated: int | None = None

    source: ClassVar[TextSource]
    # Tokens of training and validation, and the ratio of frequencies, with the default tokens.
    known_tokens: ClassVar[tuple[int, int] | None] = None
    known_ratio: ClassVar[float | None] = None

    def __post_init__(self) -> None:
        name = type(self).__name__
        check_kind(f"tokens of {name}", self.tokens, Tokens, "Words(100)")
        check_kind(f"layout of {name}", self.layout, Layout, "Sequences(64)")
        check_integer(f"merge_factor of {name}", self.merge_factor)
        if self.evaluated is not None:
            check_integer(f"evaluated of {name}", self.evaluated)

    @property
    def vocabulary(self) -> int:
        """Number of tokens of the inputs."""
        return self.tokens.size

    @property
    def num_classes(self) -> int:
        """Number of classes of the targets."""
        return -(-self.tokens.size // self.merge_factor)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input: tokens in time."""
        return (self.layout.length,)

    @property
    def facts(self) -> Facts:
        """Numbers of targets, and the ratio of their frequencies, for the default tokens."""
        if self.known_tokens is None or self.tokens != type(self).tokens:
            return Facts()
        train, validation = map(self.layout.targets, self.known_tokens)
        return Facts(train, validation, self.known_ratio if self.merge_factor == 1 else None)

    def shapes(self) -> Data:
        """Tokens and labels as shapes, int32; rows of training are evaluated as `load` does."""
        facts = self.facts
        if facts.train is None:
            raise unknown_shapes(self)
        return self.shapes_for(facts.train, facts.validation or 0)

    @property
    def assumed_tokens(self) -> tuple[int, int]:
        """About how many tokens there are to train on and to validate on, where nobody knows."""
        return self.known_tokens or (_LARGE, _LARGE // 100)

    def shapes_for(self, train: int, validation: int) -> Data:
        """The shapes, were there so many tokens to train on and to validate on."""
        length = self.layout.length

        def part(rows: int) -> ShapeSplit:
            return ShapeSplit.of((rows, length), (rows, length), np.int32)

        rows, others = (part(-(-n // length)) for n in (train, validation))
        evaluation = part(self.evaluated) if self.evaluated else None
        held_out = others if len(others) else None
        return Data(rows, counts_of_one_size(self), held_out, evaluation)

    @property
    def origin(self) -> str:
        """The corpus whose files are used."""
        return self.source.corpus.name

    def missing(self, workspace: Path) -> str | None:
        """Say what is missing and how to get it; None if nothing is."""
        return self.source.missing(workspace)

    def is_prepared(self, workspace: Path) -> bool:
        """Whether `load` has only to open files."""
        return self.source.is_encoded(workspace, self.tokens)

    def prepare(self, workspace: Path, report: Report = silent) -> None:
        """Fetch the texts that are not there, and write their tokens.

        Raises:
            OptexpError: a text cannot be fetched, or is damaged.
        """
        self.source.fetch(workspace, report)
        self.source.encoded(workspace, self.tokens, report)

    def fingerprint(self, workspace: Path) -> str:
        """A text that changes when the tokens, or how they are laid out, do."""
        return f"{self.layout!r} {self.source.fingerprint(workspace, self.tokens)}"

    def load(self, workspace: Path) -> Data:
        """Inputs and targets, mapped from files that are made first if only the texts are there.

        Raises:
            MissingDataError: the texts are not there.
            OptexpError: a file is damaged, or a text too short.
        """
        sentence = self.missing(workspace)
        if sentence:
            raise MissingDataError(sentence, code="data-not-here", dataset=type(self).__name__)
        tokens = self.source.encoded(workspace, self.tokens, silent)
        train = self._split(tokens["train"], "train")
        held_out = tokens.get("validation")
        validation = None if held_out is None else self._split(held_out, "validation")
        counts = counts_of(train.labels, self.num_classes)
        return Data(train, counts, validation, self._evaluation(train))

    def _split(self, tokens: np.ndarray, part: str) -> Split:
        require_length(self, self.layout, len(tokens), part)
        return merged(self.layout.split(tokens), self.merge_factor)

    def _evaluation(self, train: Split) -> Split | None:
        if self.evaluated is None or self.evaluated >= len(train):
            return None
        rows = np.arange(self.evaluated) * len(train) // self.evaluated
        return Split(train.inputs[rows], train.labels[rows])
