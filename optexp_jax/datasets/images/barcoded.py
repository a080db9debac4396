"""MNIST with barcodes: ten thousand rare classes beside, or without, ten frequent ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from optexp_jax.datasets.classes import members
from optexp_jax.datasets.data import Data, Split
from optexp_jax.datasets.images.digits import Digits
from optexp_jax.datasets.images.mnist import MNIST, FashionMNIST
from optexp_jax.datasets.images.pixels import moments, scaled
from optexp_jax.datasets.images.rare_classes import PlainImages, RareClasses
from optexp_jax.datasets.seeds import random_below, seed_of
from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_integer
from optexp_jax.registry import register

_MOST_BITS = 16


@register("BarcodedMNIST")
@dataclasses.dataclass(frozen=True)
class BarcodedMNIST(RareClasses):
    """MNIST with barcodes: every pair of digit and barcode is a class with few examples.

    A barcode is a number of `bits` binary digits, most significant first; digit j sets the pixel in
    row 0 and column j to white. Rare class 10 · barcode + digit holds images of the digit, drawn
    with replacement; where joined, 10 classes of plain images come first and the rare ones are 10
    higher.

    Args:
        source: whose training images are used, as bytes: its `pixels` have no effect.
        joined: whether the plain images are part of the data.
        normalised: whether each pixel has its training mean subtracted and is divided by its
            training standard deviation, constant pixels (0 .. 255) left as they are; inputs are
            in 0 .. 1 if not.
        zero_barcode: whether barcode 0 is used, as the paper ran it: its ten classes are plain
            images under another label. Without it barcode b has the number b - 1; the other images
            are the same.
        bits: of a barcode, at most the width of an image.
        per_class: training examples of each rare class; one is for validation.
        seed: of the split and the draws; None for the seed of the run, as the paper ran it.

    Raises:
        OptexpError: more bits than columns, or an impossible value.

    >>> BarcodedMNIST().num_classes, BarcodedMNIST().facts.train
    (10250, 101200)
    >>> data = BarcodedMNIST(Digits(), joined=False, bits=3, seed=0).load(Path())
    >>> data.train.inputs.shape, data.class_counts.sum()
    ((400, 8, 8, 1), np.int64(400))

    Source: the paper, section A.1 and figures 2 and 18.
    """

    source: PlainImages = dataclasses.field(default_factory=MNIST)
    joined: bool = True
    normalised: bool = True
    zero_barcode: bool = True
    bits: int = 10
    per_class: int = 5
    seed: int | None = None

    def __post_init__(self) -> None:
        self._check("zero_barcode")
        most = min(self.source.shape[1], _MOST_BITS)
        if type(self.bits) is not int or not 1 <= self.bits <= most:
            name = type(self.source).__name__
            raise OptexpError(
                f"Barcodes on {name} have from 1 to {most} bits, not {self.bits!r}: set "
                f"bits={most} or less.",
                code="too-many-bits",
                dataset=name,
                bits=self.bits,
                most=most,
            )
        check_integer("per_class of BarcodedMNIST", self.per_class)

    @classmethod
    def listed(cls) -> dict[str, BarcodedMNIST]:
        """As the command line lists it."""
        return {
            "BarcodedDigits": cls(Digits(), bits=8, seed=0),
            "BarcodedFashionMNIST": cls(FashionMNIST(), seed=0),
            "BarcodedMNIST": cls(seed=0),
            "BarcodedMNIST-only": cls(joined=False, seed=0),
            "BarcodedMNIST-repaired": cls(zero_barcode=False, seed=0),
        }

    @property
    def num_rare_classes(self) -> int:
        """Ten for each barcode."""
        return 10 * (2**self.bits - (not self.zero_barcode))

    @property
    def rare_examples(self) -> tuple[int, int]:
        """Training and validation examples of each rare class."""
        return self.per_class, 1

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, channels last."""
        return (*self.source.shape, 1)

    def load(self, workspace: Path) -> Data:
        """The images, plain ones first, then class after class.

        Raises:
            OptexpError: the source is not here or damaged, or there is no seed.
        """
        train, validation = self._halves(workspace)
        parts = ((train, self.per_class, "train"), (validation, 1, "validation"))
        first, second = (self._images(base, k, use) for base, k, use in parts)
        shift, scale = moments(first) if self.normalised else (0.0, 255.0)
        inputs = scaled(first, shift, scale)[..., None], scaled(second, shift, scale)[..., None]
        return self._data(
            inputs, (self._labels(train, self.per_class), self._labels(validation, 1))
        )

    def _images(self, base: Split, examples: int, use: str) -> np.ndarray:
        """Bytes `[n, height, width]`."""
        images = np.asarray(base.inputs)
        order, starts, counts = members(np.asarray(base.labels), 10)
        bounds = np.broadcast_to(counts[:, None], (2**self.bits, 10, examples))
        drawn = starts[:, None] + random_below(bounds, seed_of(self), use)
        # All barcodes are drawn for, so that leaving one out does not change the others.
        rare = images[order[drawn[0 if self.zero_barcode else 1 :]]]
        table = barcodes(self.bits)[0 if self.zero_barcode else 1 :]
        rare[..., 0, : self.bits] |= (table * np.uint8(255))[:, None, None, :]
        rare = rare.reshape(-1, *self.source.shape)
        return np.concatenate([images, rare]) if self.joined else rare


def barcodes(bits: int) -> np.ndarray:
    """All barcodes, most significant digit first, uint8 `[2^bits, bits]`.

    >>> barcodes(2).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    return (np.arange(2**bits)[:, None] >> np.arange(bits)[::-1] & 1).astype(np.uint8)
