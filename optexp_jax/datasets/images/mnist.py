"""MNIST and Fashion-MNIST: images of ten classes, in four IDX files each."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from optexp_jax.datasets.classes import first_of_each
from optexp_jax.datasets.data import Facts, Report, Split, silent
from optexp_jax.datasets.images.idx_files import SHAPE, ImageFiles
from optexp_jax.datasets.images.mnist_files import FASHION_FILES, MNIST_FILES
from optexp_jax.datasets.images.ten_classes import TenClasses
from optexp_jax.errors import OptexpError
from optexp_jax.registry import register

# Training and validation images of each class, in the order of the files.
SUBSETS = {"all": None, "tiny": (1000, 100), "micro": (500, 50)}


class IdxImages(TenClasses):
    """Base class of data sets in four IDX files."""

    subset: str
    shape = SHAPE
    _files: ImageFiles
    _ratio: float

    @property
    def facts(self) -> Facts:
        """Sizes, known without the files."""
        sizes = SUBSETS[self.subset]
        if sizes is None:
            return Facts(*self._files.sizes, self._ratio)
        return Facts(10 * sizes[0], 10 * sizes[1], 1.0)

    @property
    def origin(self) -> str:
        """The data set whose files are used."""
        return self._files.name

    def missing(self, workspace: Path) -> str | None:
        """A sentence that says what is not there and how to get it, or None."""
        return self._files.missing(workspace)

    def is_prepared(self, workspace: Path) -> bool:
        """Whether the files are in the workspace, unpacked."""
        return self._files.is_prepared(workspace)

    def prepare(self, workspace: Path, report: Report = silent) -> None:
        """Bring the files into the workspace: from this machine, or by download."""
        self._files.prepare(workspace, report)

    def raw(self, workspace: Path) -> tuple[Split, Split]:
        """Training and validation images as bytes `[n, 28, 28]`, labels `[n]`.

        Raises:
            OptexpError: the images are not here, or damaged.
        """
        parts = self._files.read(workspace)
        sizes = SUBSETS[self.subset]
        if sizes is None:
            return parts
        train, validation = (first_of_each(p, k) for p, k in zip(parts, sizes, strict=True))
        return train, validation

    def _check(self) -> None:
        super()._check()
        if not isinstance(self.subset, str) or self.subset not in SUBSETS:
            name = type(self).__name__
            raise OptexpError(
                f"The subset of {name} must be {', '.join(SUBSETS)}, not {self.subset!r}.",
                code="not-a-choice",
                field="subset",
                kind=name,
                value=self.subset,
                choices=tuple(SUBSETS),
            )


@register("MNIST")
@dataclasses.dataclass(frozen=True)
class MNIST(IdxImages):
    """Handwritten digits, 28 x 28: 60,000 training and 10,000 validation images.

    Args:
        subset: `all`, or the first images of each class, ordered by class: `tiny` (1,000 for
            training, 100 of the test images for validation) or `micro` (500 and 50).
        pixels: `raw` for (x - 0.1307) / 0.3081 with x in 0 .. 255, as the paper ran it (inputs up
            to 827); `unit` for the same with x in 0 .. 1; `standardised` for the mean and standard
            deviation of each pixel over the training images, constant pixels left as they are.
        flatten: whether inputs are vectors of 784 instead of `[28, 28, 1]`.

    Raises:
        OptexpError: an unknown subset or unknown pixels.

    >>> MNIST().facts.train, MNIST("tiny").facts, MNIST(flatten=True).num_inputs
    (60000, Facts(train=10000, validation=1000, ratio=1.0), 784)

    Source: the paper, section A.1 and figure 2.
    """

    subset: str = "all"
    pixels: str = "raw"
    flatten: bool = False

    _files = MNIST_FILES
    _moments = (0.1307, 0.3081)
    _ratio = 6742 / 5421  # ones to fives

    def __post_init__(self) -> None:
        self._check()

    @classmethod
    def listed(cls) -> dict[str, MNIST]:
        """As the command line lists it."""
        return {"MNIST": cls(), "TinyMNIST": cls("tiny"), "MicroMNIST": cls("micro")}


@register("FashionMNIST")
@dataclasses.dataclass(frozen=True)
class FashionMNIST(IdxImages):
    """Articles of clothing, in the form of MNIST: 6,000 training images of each of ten classes.

    Args:
        pixels: as in `MNIST`, with the mean 0.2860 and standard deviation 0.3530.
        subset: as in `MNIST`.
        flatten: as in `MNIST`.

    Raises:
        OptexpError: an unknown subset or unknown pixels.

    >>> FashionMNIST().facts
    Facts(train=60000, validation=10000, ratio=1.0)

    Source: not in the paper; replaces MNIST if there is no network.
    """

    pixels: str = "standardised"
    subset: str = "all"
    flatten: bool = False

    _files = FASHION_FILES
    _moments = (0.2860, 0.3530)
    _ratio = 1.0

    def __post_init__(self) -> None:
        self._check()
