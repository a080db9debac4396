"""Words under Zipf's law, whose losses under gradient and sign descent are known in closed form."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from optexp_jax.datasets.classes import ByFrequency, counts_of, labels_of
from optexp_jax.datasets.data import Data, Facts, Split
from optexp_jax.datasets.seeds import random_bits, seed_of
from optexp_jax.datasets.synthetic.power_law import power_law_counts
from optexp_jax.field_checks import check_integer, check_number, check_seed
from optexp_jax.frequency import zipf_law
from optexp_jax.registry import register
from optexp_jax.targets import DISTRIBUTIONS


@register("ZipfBigram")
@dataclasses.dataclass(frozen=True)
class ZipfBigram(ByFrequency):
    """A word and the distribution of the next: both follow Zipf's law, π_k ∝ 1 / k^power.

    The word after k is k + j - 1 with probability π_j, modulo the number of words. So every row of
    the table of next words has the same entries in another order, and k is the likeliest word after
    itself, which is its class here.

    Args:
        num_classes: number of words d.
        power: of the law.
        pairs: None for the distributions themselves, word k as often as `least` has it; or so many
            pairs of a word and the one after it, drawn independently. Then the distributions are
            the validation part: its squared loss is ½ Σ π_k ‖w_k - p_k‖².
        least: examples of the rarest word where there are distributions; the larger, the closer are
            whole numbers of examples to the law.
        seed: of the pairs; None for the seed of the run.

    >>> data = ZipfBigram(num_classes=3, seed=0).load(Path())
    >>> data.train.inputs
    array([0, 0, 0, 1, 1, 2], dtype=int32)
    >>> print(data.train.labels[[0, 3]].round(2))
    [[0.55 0.27 0.18]
     [0.18 0.55 0.27]]

    Source: after Kunstner and Bach, Scaling laws for gradient descent and sign descent for linear
    bigram models under Zipf's law, 2025.
    """

    num_classes: int = 100
    power: float = 1.0
    pairs: int | None = None
    least: int = 1
    seed: int | None = None

    targets = DISTRIBUTIONS
    input_shape = ()

    def __post_init__(self) -> None:
        name = type(self).__name__
        check_integer(f"num_classes of {name}", self.num_classes, 2)
        check_integer(f"least of {name}", self.least)
        check_number(f"power of {name}", self.power)
        check_seed(name, self.seed)
        if self.pairs is not None:
            check_integer(f"pairs of {name}", self.pairs)
        self._word_counts()

    @property
    def num_inputs(self) -> int:
        """Length of the one-hot vectors of words."""
        return self.num_classes

    @property
    def facts(self) -> Facts:
        """Sizes."""
        exact = self._word_counts()
        if self.pairs is None:
            return Facts.of(exact)
        return Facts(self.pairs, int(exact.sum()))

    def load(self, workspace: Path) -> Data:
        """Indices of words, and distributions of the next: one-hot ones where pairs are drawn."""
        del workspace
        exact = self._split(labels_of(self._word_counts()))
        if self.pairs is None:
            return self._data(exact)
        return self._data(self._drawn(self.pairs), exact)

    def _data(self, train: Split, validation: Split | None = None) -> Data:
        return Data(train, counts_of(train.labels, self.num_classes, self.targets), validation)

    def _word_counts(self) -> np.ndarray:
        return power_law_counts(self.num_classes, self.power, 0.0, self.least)

    def _split(self, words: np.ndarray) -> Split:
        law = zipf_law(self.num_classes, self.power).astype(np.float32)
        ranks = (np.arange(self.num_classes) - words[:, None]) % self.num_classes
        return Split(words, law[ranks])

    def _drawn(self, pairs: int) -> Split:
        bits = random_bits(2 * pairs, seed_of(self), "pairs").reshape(2, pairs)
        ends = np.cumsum(zipf_law(self.num_classes, self.power))
        words, steps = np.searchsorted(ends, (bits >> np.uint64(11)) * 2.0**-53, side="right")
        last = self.num_classes - 1  # rounding may leave the sum of the law below 1
        after = (np.minimum(words, last) + np.minimum(steps, last)) % self.num_classes
        one_hot = np.zeros((pairs, self.num_classes), np.float32)
        one_hot[np.arange(pairs), after] = 1.0
        return Split(np.minimum(words, last).astype(np.int32), one_hot)


@register("ZipfUnigram")
@dataclasses.dataclass(frozen=True)
class ZipfUnigram(ByFrequency):
    """One example, whose label is the whole distribution π_k ∝ 1 / k^power over words.

    With the cross-entropy a linear model without bias that starts at zero is one logit for each
    word: its loss is the entropy of π plus what the softmax of the logits lacks.

    Args:
        num_classes: number of words V.
        power: of the law.

    >>> ZipfUnigram(num_classes=3).load(Path()).train.labels.round(3)
    array([[0.545, 0.273, 0.182]], dtype=float32)

    Source: after Yadav et al., 2025 (arXiv 2512.00763), of which we know the abstract.
    """

    num_classes: int = 100
    power: float = 1.0

    targets = DISTRIBUTIONS
    input_shape = ()
    num_inputs = 1

    def __post_init__(self) -> None:
        check_integer("num_classes of ZipfUnigram", self.num_classes, 2)
        check_number("power of ZipfUnigram", self.power)

    @property
    def facts(self) -> Facts:
        """Sizes."""
        return Facts(1, 0)

    def load(self, workspace: Path) -> Data:
        """The example; validation is training."""
        del workspace
        labels = zipf_law(self.num_classes, self.power).astype(np.float32)[None]
        counts = counts_of(labels, self.num_classes, self.targets)
        return Data(Split(np.zeros(1, np.int32), labels), counts)
