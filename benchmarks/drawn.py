"""Data of any shape drawn at random: classes with a heavy tail, inputs that say nothing of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import jax.numpy as jnp
import numpy as np

import optexp_jax
from optexp_jax.datasets.base import ShapeSplit, counts_of_one_size
from optexp_jax.datasets.classes import counts_of
from optexp_jax.datasets.data import Data, Split
from optexp_jax.per_class import frequency_groups


@optexp_jax.register("benchmark-drawn")
@dataclasses.dataclass(frozen=True)
class Drawn:
    """Examples drawn at random; label k has a share proportional to 1 / (k + 1).

    Args:
        num_examples: of the training set.
        input_shape: of an example; of text, `(time,)`.
        num_classes: number of classes, and of tokens.
        text: whether inputs are tokens, and every token has a label.
    """

    num_examples: int
    input_shape: tuple[int, ...]
    num_classes: int
    text: bool = False

    num_groups = 10

    def load(self, workspace: Path) -> Data:
        """The same numbers at every call."""
        del workspace
        rng = np.random.default_rng(0)
        shares = 1 / np.arange(1, self.num_classes + 1)
        shape = (self.num_examples, *(self.input_shape if self.text else ()))
        labels = rng.choice(self.num_classes, shape, p=shares / shares.sum()).astype(np.int32)
        full = (self.num_examples, *self.input_shape)
        if self.text:
            inputs = rng.integers(0, self.num_classes, full, np.int32)
        else:
            inputs = rng.standard_normal(full, np.float32)
        return Data(Split(inputs, labels), counts_of(labels, self.num_classes))

    def shapes(self) -> Data:
        """Shapes of the data."""
        number, dtype = self.num_examples, jnp.int32 if self.text else jnp.float32
        labels = (number, *(self.input_shape if self.text else ()))
        train = ShapeSplit.of((number, *self.input_shape), labels, dtype, jnp.int32)
        return Data(train, counts_of_one_size(self))

    def groups(self, class_counts: np.ndarray, n_groups: int | None = None):
        """Groups of classes by frequency."""
        return frequency_groups(class_counts, n_groups or self.num_groups)
