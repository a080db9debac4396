"""How the training examples are cut into batches, one a step."""

from __future__ import annotations

import dataclasses
import math
from typing import Protocol

from optexp_jax.errors import OptexpError
from optexp_jax.registry import register


class Batching(Protocol):
    """The interface of a way to split the data into batches."""

    @property
    def is_full(self) -> bool:
        """Whether every step uses all examples, so that training metrics need no extra pass."""
        ...

    @property
    def shuffle(self) -> bool:
        """Whether every epoch has its own order."""
        ...

    def batch_size(self, num_examples: int) -> int:
        """Number of examples in a step; more than `num_examples` means all of them."""
        ...

    def steps_per_epoch(self, num_examples: int) -> int:
        """Number of batches in an epoch."""
        ...


@register("FullBatch")
@dataclasses.dataclass(frozen=True)
class FullBatch:
    """Use all training examples in every step; an epoch is one step."""

    is_full = True
    shuffle = False

    def batch_size(self, num_examples: int) -> int:
        """The number of all examples."""
        return num_examples

    def steps_per_epoch(self, num_examples: int) -> int:
        """One step."""
        del num_examples
        return 1


@register("MiniBatch")
@dataclasses.dataclass(frozen=True)
class MiniBatch:
    """Use the next `size` examples in every step; the last batch of an epoch may be smaller.

    Args:
        size: examples per step.
        shuffle: whether every epoch has a new order, drawn from the seed of the run. Text streams
            (contiguous chunks) are never shuffled.

    >>> MiniBatch(512).steps_per_epoch(1300)
    3
    """

    size: int
    shuffle: bool = True

    is_full = False

    def __post_init__(self) -> None:
        if type(self.size) is not int or self.size < 1:
            raise OptexpError(
                f"The size of a mini-batch must be an integer from 1, not {self.size!r}.",
                code="not-an-integer",
                field="size",
                kind="MiniBatch",
                value=self.size,
                least=1,
            )
        if type(self.shuffle) is not bool:
            raise OptexpError(
                f"MiniBatch.shuffle must be True or False, not {self.shuffle!r}.",
                code="not-a-flag",
                field="shuffle",
                kind="MiniBatch",
                value=self.shuffle,
            )

    def batch_size(self, num_examples: int) -> int:
        """The size of a batch."""
        del num_examples
        return self.size

    def steps_per_epoch(self, num_examples: int) -> int:
        """Number of batches in an epoch."""
        return math.ceil(num_examples / self.size)
