"""One-hot inputs: the problem in which everything is known exactly."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from optexp_jax.datasets.classes import ByFrequency, labels_of
from optexp_jax.datasets.data import Data, Facts, Split
from optexp_jax.datasets.synthetic.power_law import power_law_counts
from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_integer, check_number
from optexp_jax.registry import register


@register("HeavyTailedOneHot")
@dataclasses.dataclass(frozen=True)
class HeavyTailedOneHot(ByFrequency):
    """Every example of class k is the one-hot vector e_k: the model learns the identity.

    Classes come in groups of equally many examples: base^g classes with start_examples / base^g
    examples each, for g = 0, 1, ... until one example is left. Inputs are stored as indices.

    Args:
        start_examples: examples of the most frequent class, a power of the base.
        base: ratio of the frequencies of one group and the next.

    Raises:
        OptexpError: start_examples is not a power of the base.

    >>> dataset = HeavyTailedOneHot(start_examples=100)
    >>> dataset.num_classes, dataset.class_counts()[[0, 1, 110]]
    (111, array([100,  10,   1]))

    Source: the simple imbalanced setting of the paper, section 3.3, with a squared loss.
    """

    start_examples: int = 1000
    base: int = 10

    input_shape = ()

    def __post_init__(self) -> None:
        if type(self.base) is not int or type(self.start_examples) is not int:
            raise OptexpError(
                f"start_examples and base must be integers, not as in {self!r}.",
                code="fields-not-integers",
                value=self,
            )
        if self.base < 2 or self.start_examples != self.base ** (self.num_groups - 1):
            raise OptexpError(
                f"start_examples={self.start_examples} is not a power of base={self.base}: use 1, "
                "base, base², ..., such as start_examples=1000 with base=10.",
                code="not-a-power-of-base",
                start_examples=self.start_examples,
                base=self.base,
            )

    @property
    def num_groups(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Number of groups of equally frequent classes."""
        groups, examples = 1, self.start_examples
        while self.base >= 2 and examples >= self.base:
            examples //= self.base
            groups += 1
        return groups

    @property
    def num_classes(self) -> int:
        """Number of classes, and of inputs."""
        return sum(self.base**g for g in range(self.num_groups))

    @property
    def num_inputs(self) -> int:
        """Length of the one-hot vectors."""
        return self.num_classes

    def class_counts(self, workspace: Path | None = None) -> np.ndarray:
        """Examples of each class, most frequent first."""
        del workspace
        sizes = [self.base**g for g in range(self.num_groups)]
        return np.repeat([self.start_examples // size for size in sizes], sizes)

    @property
    def facts(self) -> Facts:
        """Sizes."""
        return Facts.of(self.class_counts())

    def load(self, workspace: Path) -> Data:
        """Indices of the one-hot inputs, equal to the labels; validation is training."""
        del workspace
        return _identity(self.class_counts())


@register("PowerLawOneHot")
@dataclasses.dataclass(frozen=True)
class PowerLawOneHot(ByFrequency):
    """The one-hot problem with class frequencies ∝ 1 / k^power: π of the weighted quadratic.

    A linear model without bias that starts at zero and learns it with the squared loss has as its
    error on class k, 1 - w_kk, the w_k of the weighted quadratic f(w) = Σ π_k w_k² / 2 with
    w_k(0) = 1; its other entries stay zero.

    Args:
        num_classes: number of classes c, and of inputs.
        power: of the law.
        least: examples of the least frequent class; the larger, the closer are whole numbers of
            examples to the law.

    Raises:
        OptexpError: an impossible value.

    >>> dataset = PowerLawOneHot(num_classes=4, least=3)
    >>> dataset.class_counts()
    array([12,  6,  4,  3])

    Source: the paper, section 3.1 and figure 6.
    """

    num_classes: int = 100
    power: float = 1.0
    least: int = 10

    input_shape = ()

    def __post_init__(self) -> None:
        check_integer("num_classes of PowerLawOneHot", self.num_classes, 2)
        check_integer("least of PowerLawOneHot", self.least)
        check_number("power of PowerLawOneHot", self.power)
        self.class_counts()

    @property
    def num_inputs(self) -> int:
        """Length of the one-hot vectors."""
        return self.num_classes

    def class_counts(self, workspace: Path | None = None) -> np.ndarray:
        """Examples of each class, most frequent first."""
        del workspace
        return power_law_counts(self.num_classes, self.power, 0.0, self.least)

    @property
    def facts(self) -> Facts:
        """Sizes."""
        return Facts.of(self.class_counts())

    def load(self, workspace: Path) -> Data:
        """Indices of the one-hot inputs, equal to the labels; validation is training."""
        del workspace
        return _identity(self.class_counts())


def _identity(counts: np.ndarray) -> Data:
    labels = labels_of(counts)
    return Data(Split(labels, labels), counts)
