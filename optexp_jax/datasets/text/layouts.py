"""From a row of tokens to inputs and targets: parallel streams, or sequences one after another."""

from __future__ import annotations

import dataclasses

import numpy as np

from optexp_jax.datasets.data import PADDING, Split
from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_integer
from optexp_jax.registry import register


@register("Streams")
@dataclasses.dataclass(frozen=True)
class Streams:
    """The text cut into as many streams as a batch has rows, read side by side in chunks.

    With `MiniBatch(batch, shuffle=False)` a step takes the next chunk of every stream.

    Args:
        batch: number of streams.
        length: tokens of a chunk; the last chunk of an epoch may be shorter.

    Raises:
        OptexpError: batch or length is not an integer from 1.

    >>> Streams(512, 35).targets(924_412)  # the training text of PTB
    923648

    Source: the loaders of PTB in the paper's code.
    """

    batch: int
    length: int

    def __post_init__(self) -> None:
        check_integer("batch of Streams", self.batch)
        check_integer("length of Streams", self.length)

    def targets(self, num_tokens: int) -> int:
        """Targets made of a text of so many tokens."""
        return self.batch * max(0, num_tokens // self.batch - 1)

    def split(self, tokens: np.ndarray) -> Split:
        """Inputs and targets `[chunks * batch, length]`."""
        return streams(tokens, self.batch, self.length)


@register("Sequences")
@dataclasses.dataclass(frozen=True)
class Sequences:
    """The text cut into sequences that do not overlap; what is left at its end is not used.

    Args:
        length: tokens of a sequence.

    Raises:
        OptexpError: length is not an integer from 1.

    >>> Sequences(1024).targets(109_836_289)  # the training text of WikiText-103
    109836288

    Source: the loaders of WikiText in the paper's code.
    """

    length: int

    def __post_init__(self) -> None:
        check_integer("length of Sequences", self.length)

    def targets(self, num_tokens: int) -> int:
        """Targets made of a text of so many tokens."""
        return max(0, num_tokens - 1) // self.length * self.length

    def split(self, tokens: np.ndarray) -> Split:
        """Inputs and targets `[sequences, length]`, views of the tokens."""
        return sequences(tokens, self.length)


Layout = Streams | Sequences


def streams(tokens: np.ndarray, batch: int, length: int) -> Split:
    """Streams of N // batch tokens each, in chunks of at most `length`.

    Args:
        tokens: integers `[N]`.
        batch: number of streams.
        length: tokens of a chunk.

    Returns:
        rows in the order of the chunks, in a chunk in the order of the streams; labels are the next
        tokens, int32, and -1 (inputs 0) past the end of the last chunk.

    >>> split = streams(np.arange(12), batch=2, length=3)
    >>> print(split.inputs, split.labels, sep="\\n")
    [[ 0  1  2]
     [ 6  7  8]
     [ 3  4  0]
     [ 9 10  0]]
    [[ 1  2  3]
     [ 7  8  9]
     [ 4  5 -1]
     [10 11 -1]]
    """
    size = len(tokens) // batch
    rows = tokens[: size * batch].reshape(batch, size)
    chunks = -(-max(0, size - 1) // length)

    def cut(part: np.ndarray, fill: int, dtype: np.dtype | type) -> np.ndarray:
        padded = np.full((batch, chunks * length), fill, dtype)
        padded[:, : size - 1] = part
        return padded.reshape(batch, chunks, length).swapaxes(0, 1).reshape(-1, length)

    return Split(cut(rows[:, :-1], 0, tokens.dtype), cut(rows[:, 1:], PADDING, np.int32))


def sequences(tokens: np.ndarray, length: int) -> Split:
    """Sequences of `length` tokens that do not overlap, as views.

    Args:
        tokens: integers `[N]`, in memory or mapped from a file.
        length: tokens of a sequence.

    Returns:
        (N - 1) // length rows of inputs, and of labels: the next tokens.

    >>> split = sequences(np.arange(8), length=3)
    >>> print(split.inputs, split.labels, sep="\\n")
    [[0 1 2]
     [3 4 5]]
    [[1 2 3]
     [4 5 6]]
    """
    end = max(0, len(tokens) - 1) // length * length
    return Split(tokens[:end].reshape(-1, length), tokens[1 : end + 1].reshape(-1, length))


def require_length(dataset: object, layout: Layout, found: int, part: str) -> None:
    """Refuse a text that is too short for a layout.

    Args:
        dataset: that has the text.
        layout: how it is cut.
        found: number of tokens.
        part: `train` or `validation`.

    Raises:
        OptexpError: not a single target fits.
    """
    if not layout.targets(found):
        raise OptexpError(
            f"{layout} needs more than the {found:,} {part} tokens of {type(dataset).__name__}: "
            "use fewer or shorter sequences.",
            code="too-few-tokens",
            dataset=type(dataset).__name__,
            part=part,
            layout=layout,
            found=found,
        )


def merged(split: Split, factor: int) -> Split:
    """The split with classes of `factor` neighbouring tokens each: token t is of class t // factor.

    >>> merged(sequences(np.arange(7), length=3), 2).labels
    array([[0, 1, 1],
           [2, 2, 3]], dtype=int32)
    """
    if factor == 1:
        return split
    return Split(split.inputs, np.asarray(split.labels, np.int32) // factor)  # -1 // k is -1
