"""Random inputs whose labels have a heavy tail."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from optexp_jax.datasets.classes import ByFrequency, labels_of
from optexp_jax.datasets.data import Data, Facts, Split
from optexp_jax.datasets.seeds import key_for
from optexp_jax.datasets.synthetic.inputs import Gaussian, Inputs, Uniform, draw_rows
from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_flag, check_integer, check_kind, check_seed
from optexp_jax.numerics import pinned
from optexp_jax.registry import register


@register("RandomHeavyTailedLabels")
@dataclasses.dataclass(frozen=True)
class RandomHeavyTailedLabels(ByFrequency):
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
    inputs: Inputs = dataclasses.field(default_factory=Uniform)
    dim: int | None = None
    bias_column: bool = False
    seed: int | None = None

    def __post_init__(self) -> None:
        if type(self.size) is not int or not 1 <= self.size <= 16:
            raise OptexpError(
                f"The size of the problem must be from 1 to 16, not {self.size!r}.",
                code="size-outside",
                size=self.size,
            )
        name = type(self).__name__
        if self.dim is not None:
            check_integer(f"dim of {name}", self.dim)
        check_kind(f"inputs of {name}", self.inputs, Inputs, "Uniform()")
        check_flag(f"bias_column of {name}", self.bias_column)
        check_seed(name, self.seed)

    @classmethod
    def listed(cls) -> dict[str, RandomHeavyTailedLabels]:
        """As the command line lists it."""
        normal = Gaussian()
        return {
            "RandomHeavyTailedLabels": cls(11, seed=0),
            "RandomHeavyTailedLabels-8": cls(8, seed=0),
            "RandomHeavyTailedLabels-7": cls(7, seed=0),
            "RandomHeavyTailedLabels-7-normal": cls(7, normal, seed=0),
            "RandomHeavyTailedLabels-7-shifted": cls(7, Gaussian(1.0), seed=0),
            "RandomHeavyTailedLabels-7-bias": cls(7, normal, bias_column=True, seed=0),
            "RandomHeavyTailedLabels-7-dim400": cls(7, normal, dim=400, seed=0),
        }

    @property
    def num_classes(self) -> int:
        """Number of classes, 2^size - 1."""
        return 2**self.size - 1

    @property
    def num_groups(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Number of groups of equally frequent classes."""
        return self.size

    @property
    def num_inputs(self) -> int:
        """Length of an input, the bias column included."""
        return (self.dim or (self.size + 1) * 2**self.size) + self.bias_column

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return (self.num_inputs,)

    def class_counts(self, workspace: Path | None = None) -> np.ndarray:
        """Examples of each class, most frequent first."""
        del workspace
        groups = range(self.size)
        return np.repeat([2 ** (self.size - g) for g in groups], [2**g for g in groups])

    @property
    def facts(self) -> Facts:
        """Sizes."""
        return Facts.of(self.class_counts())

    def load(self, workspace: Path) -> Data:
        """Inputs drawn from the seed on the device, labels in order of frequency.

        Validation is training.

        Raises:
            OptexpError: there is no seed.
        """
        del workspace
        key, counts = key_for(self, "inputs"), self.class_counts()
        length = self.num_inputs - self.bias_column
        with pinned():
            inputs = draw_rows(
                self.inputs, key, int(counts.sum()), length, bias_column=self.bias_column
            )
        return Data(Split(inputs, labels_of(counts)), counts)
