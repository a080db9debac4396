"""The handwritten digits that scikit-learn ships: real images on any machine."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np

from optexp_jax.datasets.classes import rank_in_class
from optexp_jax.datasets.data import Facts, Report, Split, silent
from optexp_jax.datasets.data_files import MissingDataError
from optexp_jax.datasets.images.ten_classes import TenClasses
from optexp_jax.datasets.seeds import random_order
from optexp_jax.registry import register

_TRAIN_OF_EACH = 150
_MISSING = (
    "The data set Digits is not here: it comes with scikit-learn, so run "
    "`pip install scikit-learn`."
)


@register("Digits")
@dataclasses.dataclass(frozen=True)
class Digits(TenClasses):
    """Handwritten digits, 8 x 8: 150 training images of each, and the other 297 for validation.

    The images of scikit-learn (values 0 .. 16, here 0 .. 255) are put in a fixed random order; the
    first 150 of each class are for training.

    Args:
        pixels: as in `MNIST`, with the mean 0.3057 and standard deviation 0.3758.
        flatten: whether inputs are vectors of 64 instead of `[8, 8, 1]`.

    Raises:
        OptexpError: unknown pixels.

    >>> data = Digits(flatten=True).load(Path())
    >>> data.train.inputs.shape, data.validation.inputs.shape
    ((1500, 64), (297, 64))

    Source: not in the paper; Alpaydin and Kaynak, Optical recognition of handwritten digits, UCI.
    """

    pixels: str = "standardised"
    flatten: bool = False

    shape = (8, 8)
    _moments = (0.3057, 0.3758)

    def __post_init__(self) -> None:
        self._check()

    @property
    def facts(self) -> Facts:
        """Sizes."""
        return Facts(10 * _TRAIN_OF_EACH, 297, 1.0)

    def missing(self, workspace: Path) -> str | None:
        """A sentence if scikit-learn is not installed, None if it is."""
        del workspace
        return _MISSING if importlib.util.find_spec("sklearn") is None else None

    def is_prepared(self, workspace: Path) -> bool:
        """Whether scikit-learn is installed."""
        return self.missing(workspace) is None

    def prepare(self, workspace: Path, report: Report = silent) -> None:
        """Nothing to bring.

        Raises:
            MissingDataError: scikit-learn is not installed.
        """
        del report
        self._need(workspace)

    def raw(self, workspace: Path) -> tuple[Split, Split]:
        """Training and validation images as bytes `[n, 8, 8]`, labels `[n]`.

        Raises:
            MissingDataError: scikit-learn is not installed.
        """
        self._need(workspace)
        from sklearn.datasets import load_digits

        values, digits = (np.asarray(a) for a in load_digits(return_X_y=True))
        order = random_order(len(digits), 0, "digits")
        images = np.rint(values[order] * (255 / 16)).astype(np.uint8).reshape(-1, *self.shape)
        labels = digits[order].astype(np.uint8)
        train = rank_in_class(labels) < _TRAIN_OF_EACH
        return Split(images[train], labels[train]), Split(images[~train], labels[~train])

    def _need(self, workspace: Path) -> None:
        sentence = self.missing(workspace)
        if sentence:
            raise MissingDataError(sentence, code="data-not-here", dataset=type(self).__name__)
