"""Base class of data sets of grey images of ten classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from optexp_jax.datasets.classes import ByFrequency, counts_of
from optexp_jax.datasets.data import Data, Split
from optexp_jax.datasets.images.pixels import check_pixels, inputs_of
from optexp_jax.field_checks import check_flag


class TenClasses(ByFrequency):
    """Base class of data sets of grey images of ten classes."""

    pixels: str
    flatten: bool
    shape: tuple[int, int]
    _moments: tuple[float, float]

    num_classes = 10

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, channels last."""
        return (self.shape[0] * self.shape[1],) if self.flatten else (*self.shape, 1)

    @property
    def num_inputs(self) -> int | None:
        """Length of an input that is flat."""
        return self.input_shape[0] if self.flatten else None

    def raw(self, workspace: Path) -> tuple[Split, Split]:
        """Training and validation images as bytes `[n, height, width]`, labels `[n]`."""
        raise NotImplementedError

    def load(self, workspace: Path) -> Data:
        """Training and validation images as float32, labels as int32; no network is used.

        Raises:
            OptexpError: the images are not here, or damaged.
        """
        parts = self.raw(workspace)
        images = tuple(np.asarray(part.inputs) for part in parts)
        inputs = inputs_of(images[0], images[1], self.pixels, *self._moments)
        train, validation = (
            Split(x.reshape(-1, *self.input_shape), np.asarray(part.labels).astype(np.int32))
            for x, part in zip(inputs, parts, strict=True)
        )
        return Data(train, counts_of(train.labels, 10), validation)

    def _check(self) -> None:
        check_pixels(type(self).__name__, self.pixels)
        check_flag(f"flatten of {type(self).__name__}", self.flatten)
