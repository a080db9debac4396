"""Synthetic classification problems with heavy-tailed classes. Nothing to download."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from zlib import crc32

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.datasets.data import Data, Split, counts_of
from optexp_jax.errors import OptexpError
from optexp_jax.per_class import frequency_groups


@dataclasses.dataclass(frozen=True)
class HeavyTailedOneHot:
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

    def __post_init__(self) -> None:
        if self.base < 2 or self.start_examples != self.base ** (self.num_groups - 1):
            raise OptexpError(
                f"start_examples={self.start_examples} is not a power of base={self.base}: take "
                "1, base, base², ..., such as start_examples=1000 with base=10."
            )

    @property
    def num_groups(self) -> int:
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

    def class_counts(self) -> np.ndarray:
        """Examples of each class, most frequent first."""
        sizes = [self.base**g for g in range(self.num_groups)]
        return np.repeat([self.start_examples // size for size in sizes], sizes)

    def load(self, workspace: Path) -> Data:
        """Indices of the one-hot inputs, equal to the labels; validation is training."""
        del workspace
        counts = self.class_counts()
        labels = np.repeat(np.arange(self.num_classes, dtype=np.int32), counts)
        return Data(Split(labels, labels), counts)

    def groups(
        self, class_counts: np.ndarray, n_groups: int | None = None
    ) -> tuple[np.ndarray, ...]:
        """The groups of the construction, or as many groups as asked for."""
        return frequency_groups(class_counts, n_groups or self.num_groups)


@dataclasses.dataclass(frozen=True)
class Uniform:
    """Inputs uniform on [0, 1]."""

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Independent entries of the given shape, float32."""
        return jax.random.uniform(key, shape, jnp.float32)


@dataclasses.dataclass(frozen=True)
class Gaussian:
    """Inputs N(mean, scale²)."""

    mean: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", float(self.mean))
        object.__setattr__(self, "scale", float(self.scale))

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Independent entries of the given shape, float32."""
        return self.mean + self.scale * jax.random.normal(key, shape, jnp.float32)


@dataclasses.dataclass(frozen=True)
class RandomHeavyTailedLabels:
    """Random inputs, independent of labels with a heavy tail.

    Group g = 0 .. size-1 holds 2^g classes of 2^(size-g) examples: n = size · 2^size examples,
    2^size - 1 classes, and (size + 1) · 2^size inputs unless `dim` says otherwise.

    Args:
        size: number of groups, called m in the paper (11, and 7 or 8 for small runs).
        inputs: distribution of the entries of the inputs.
        dim: length of an input without the bias column, None for (size + 1) · 2^size.
        bias_column: whether a column of ones is appended to the inputs.
        seed: of the inputs; None for the seed of the run, as the paper ran it.

    >>> dataset = RandomHeavyTailedLabels(size=3, seed=0)
    >>> data = dataset.load(Path())
    >>> data.train.inputs.shape, data.class_counts
    ((24, 32), array([8, 4, 4, 2, 2, 2, 2]))

    Source: the paper, section 3 and figure 4; validation is training there.
    """

    size: int
    inputs: Uniform | Gaussian = dataclasses.field(default_factory=Uniform)
    dim: int | None = None
    bias_column: bool = False
    seed: int | None = None

    def __post_init__(self) -> None:
        if type(self.size) is not int or not 1 <= self.size <= 16:
            raise OptexpError(f"The size of the problem is between 1 and 16, not {self.size!r}.")
        if self.dim is not None and (type(self.dim) is not int or self.dim < 1):
            raise OptexpError(f"dim is an integer from 1 or None, not {self.dim!r}.")

    @property
    def num_classes(self) -> int:
        """Number of classes, 2^size - 1."""
        return 2**self.size - 1

    @property
    def num_groups(self) -> int:
        """Number of groups of equally frequent classes."""
        return self.size

    @property
    def num_inputs(self) -> int:
        """Length of an input, the bias column included."""
        return (self.dim or (self.size + 1) * 2**self.size) + self.bias_column

    def load(self, workspace: Path) -> Data:
        """Inputs drawn from the seed, labels in order of frequency; validation is training."""
        del workspace
        if self.seed is None:
            raise OptexpError(
                "RandomHeavyTailedLabels(seed=None) takes the seed of a run: give it a seed to "
                "load it by itself."
            )
        counts = np.repeat(
            [2 ** (self.size - g) for g in range(self.size)], [2**g for g in range(self.size)]
        )
        labels = np.repeat(np.arange(self.num_classes, dtype=np.int32), counts)
        key = jax.random.fold_in(jax.random.key(self.seed), crc32(b"inputs"))
        inputs = self.inputs.sample(key, (len(labels), self.num_inputs - self.bias_column))
        if self.bias_column:
            inputs = jnp.concatenate([inputs, jnp.ones((len(labels), 1), inputs.dtype)], axis=1)
        return Data(Split(inputs, labels), counts_of(labels, self.num_classes))

    def groups(
        self, class_counts: np.ndarray, n_groups: int | None = None
    ) -> tuple[np.ndarray, ...]:
        """The groups of the construction, or as many groups as asked for."""
        return frequency_groups(class_counts, n_groups or self.num_groups)
