"""Classes whose frequencies follow a power of their rank, as those of words do."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.datasets.classes import ByFrequency, labels_of
from optexp_jax.datasets.data import Data, Facts, Split
from optexp_jax.datasets.seeds import key_for
from optexp_jax.datasets.synthetic.inputs import Gaussian, Inputs, draw_rows
from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_integer, check_kind, check_number, check_seed
from optexp_jax.numerics import pinned
from optexp_jax.registry import neutral, register


def power_law_counts(num_classes: int, power: float, shift: float, least: int) -> np.ndarray:
    """n_k = ⌈least · ((c + shift) / (k + shift))^power⌉ for k = 1 .. c, int64 `[num_classes]`.

    The most frequent class is first; the least frequent has `least` examples.

    Raises:
        OptexpError: there would be billions of examples.

    >>> power_law_counts(5, power=1.0, shift=0.0, least=2)
    array([10,  5,  4,  3,  2])
    """
    ranks = np.arange(1, num_classes + 1)
    ratios = ((num_classes + shift) / (ranks + shift)) ** float(power)
    # A ratio that is whole but for rounding is not raised to the next whole number.
    counts = np.ceil(least * ratios * (1 - 1e-12))
    if counts.sum() >= 2**31:
        raise OptexpError(
            f"A power law with power {power:g} over {num_classes} classes has {counts.sum():.0e} "
            "examples: use a smaller power, or fewer classes.",
            code="too-many-examples",
            power=power,
            num_classes=num_classes,
            examples=counts.sum(),
        )
    return counts.astype(np.int64)


def shared_counts(num_classes: int, power: float, shift: float, examples: int) -> np.ndarray:
    """A number of examples shared by the law: one for each class, the others ∝ (k + shift)^-power.

    What is left of whole shares goes to the largest fractions, of equal ones to the first.

    Returns:
        int64 `[num_classes]`, the most frequent class first; its sum is `examples`.

    >>> shared_counts(4, power=1.0, shift=0.0, examples=29), shared_counts(4, 0.0, 0.0, 8)
    (array([13,  7,  5,  4]), array([2, 2, 2, 2]))
    """
    law = (np.arange(1, num_classes + 1) + shift) ** -float(power)
    shares = (examples - num_classes) * law / law.sum()
    whole = np.floor(shares * (1 + 1e-12))
    left = examples - num_classes - int(whole.sum())
    first = np.argsort(whole - shares, kind="stable")[:left]
    return (1 + whole + np.isin(np.arange(num_classes), first)).astype(np.int64)


class _PowerLaw(ByFrequency):
    """Base class of problems with such classes."""

    num_classes: int
    least: int
    seed: int | None

    @property
    def num_inputs(self) -> int:
        """Length of an input."""
        raise NotImplementedError

    def class_counts(self, workspace: Path | None = None) -> np.ndarray:
        """Examples of each class, most frequent first."""
        raise NotImplementedError

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return (self.num_inputs,)

    @property
    def facts(self) -> Facts:
        """Sizes."""
        return Facts.of(self.class_counts())

    def _draw(self, inputs: Inputs) -> tuple[jax.Array, np.ndarray]:
        """Random inputs `[n, num_inputs]`, and the labels."""
        labels, key = labels_of(self.class_counts()), key_for(self, "inputs")
        with pinned():
            return draw_rows(inputs, key, len(labels), self.num_inputs), labels

    def _check(self, *numbers: str) -> None:
        name = type(self).__name__
        check_integer(f"num_classes of {name}", self.num_classes, 2)
        check_seed(name, self.seed)
        check_integer(f"least of {name}", self.least)
        for field in numbers:
            check_number(f"{field} of {name}", getattr(self, field))
        self.class_counts()


@register("GaussianMixture")
@dataclasses.dataclass(frozen=True)
class GaussianMixture(_PowerLaw):
    """One Gaussian for each class: x = e_y + scale · N(0, I), with class frequencies ∝ 1 / k^power.

    Inputs are as many as classes; class k has ⌈least · (c / k)^power⌉ examples.

    Args:
        num_classes: number of classes c, and of inputs.
        power: of the law; 0 for classes of the same frequency.
        least: examples of the least frequent class.
        scale: standard deviation of the Gaussians.
        seed: of the inputs; None for the seed of the run, as the paper's code has it.

    Raises:
        OptexpError: an impossible value.

    >>> dataset = GaussianMixture(num_classes=4, least=1, seed=0)
    >>> dataset.class_counts(), dataset.load(Path()).train.inputs.shape
    (array([4, 2, 2, 1]), (9, 4))

    Source: the paper's code, whose `var` is this `scale`; in none of its figures.
    """

    num_classes: int = 100
    power: float = 1.0
    least: int = 10
    scale: float = 0.1
    seed: int | None = None

    def __post_init__(self) -> None:
        self._check("power", "scale")

    @property
    def num_inputs(self) -> int:
        """As many as classes."""
        return self.num_classes

    def class_counts(self, workspace: Path | None = None) -> np.ndarray:
        """Examples of each class, most frequent first."""
        del workspace
        return power_law_counts(self.num_classes, self.power, 0.0, self.least)

    def load(self, workspace: Path) -> Data:
        """Inputs drawn from the seed on the device, labels in order; validation is training.

        Raises:
            OptexpError: there is no seed.
        """
        del workspace
        noise, labels = self._draw(Gaussian(0.0, self.scale))
        with pinned():
            inputs = noise.at[jnp.arange(len(labels)), labels].add(1.0)
        return Data(Split(inputs, labels), self.class_counts())


@register("ZipfMandelbrot")
@dataclasses.dataclass(frozen=True)
class ZipfMandelbrot(_PowerLaw):
    """Random inputs, independent of labels with class frequencies ∝ 1 / (k + shift)^power.

    Class k has ⌈least · ((c + shift) / (k + shift))^power⌉ examples. Inputs are as many as
    examples unless `dim` says otherwise, so that a linear model can fit all of them.

    Args:
        num_classes: number of classes c.
        power: of the law.
        shift: of the ranks: the law of Zipf without it; about 2.7 for English words.
        least: examples of the least frequent class.
        inputs: distribution of the entries of the inputs.
        dim: length of an input, None for the number of examples.
        seed: of the inputs; None for the seed of the run.
        examples: number of examples n of all classes, in place of `least`: each class has one, and
            the others are shared by the law; None for what `least` makes.

    Raises:
        OptexpError: an impossible value.

    >>> dataset = ZipfMandelbrot(num_classes=4, shift=1.0, seed=0)
    >>> dataset.class_counts(), dataset.load(Path()).train.inputs.shape
    (array([3, 2, 2, 1]), (8, 8))

    Source: B. Mandelbrot, 1953; a smooth form of the random heavy-tailed labels of the paper.
    """

    num_classes: int = 200
    power: float = 1.0
    shift: float = 2.7
    least: int = 1
    inputs: Inputs = dataclasses.field(default_factory=Gaussian)
    dim: int | None = None
    seed: int | None = None
    examples: int | None = dataclasses.field(default=None, metadata=neutral(None))

    def __post_init__(self) -> None:
        if self.examples is not None:
            check_integer("examples of ZipfMandelbrot", self.examples, self.num_classes)
        self._check("power", "shift")
        check_kind("inputs of ZipfMandelbrot", self.inputs, Inputs, "Gaussian()")
        if self.dim is not None:
            check_integer("dim of ZipfMandelbrot", self.dim)

    @property
    def num_inputs(self) -> int:
        """Length of an input."""
        return self.dim or int(self.class_counts().sum())

    def class_counts(self, workspace: Path | None = None) -> np.ndarray:
        """Examples of each class, most frequent first."""
        del workspace
        if self.examples is not None:
            return shared_counts(self.num_classes, self.power, self.shift, self.examples)
        return power_law_counts(self.num_classes, self.power, self.shift, self.least)

    def load(self, workspace: Path) -> Data:
        """Inputs drawn from the seed on the device, labels in order; validation is training.

        Raises:
            OptexpError: there is no seed.
        """
        del workspace
        inputs, labels = self._draw(self.inputs)
        return Data(Split(inputs, labels), self.class_counts())
