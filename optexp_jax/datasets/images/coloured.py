"""MNIST in colours: every pair of digit and colour is a class."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from optexp_jax.datasets.classes import members
from optexp_jax.datasets.data import Data, Split
from optexp_jax.datasets.images.mnist import MNIST
from optexp_jax.datasets.images.pixels import moments, scaled
from optexp_jax.datasets.images.rare_classes import PlainImages, RareClasses
from optexp_jax.datasets.seeds import random_below, seed_of
from optexp_jax.errors import OptexpError
from optexp_jax.registry import register

MANY = (50, 20, (5, 1))
FEW = (20, 5, (50, 10))


@register("ColouredMNIST")
@dataclasses.dataclass(frozen=True)
class ColouredMNIST(RareClasses):
    """Coloured MNIST: every pair of digit and colour is a class; 50,000 training images.

    A colour is a pair of hue i / hues and saturation j / saturations, with i and j from 1; the grey
    value of a pixel is its brightness. Colours are numbered with hues innermost. Rare class
    digit · colours + colour holds images of the digit, drawn without replacement and afresh for
    each colour; where joined, 10 classes of grey images come first and the rare ones are 10 higher.

    Args:
        source: whose training images are used, as bytes: its `pixels` have no effect.
        joined: whether the grey images are part of the data.
        many: 50 hues and 20 saturations, with 5 training and 1 validation images of each class; if
            not, 20 and 5, with 50 and 10 images.
        normalised: whether each channel of each pixel has its training mean subtracted and is
            divided by its training standard deviation, constant ones left as they are; inputs are
            in 0 .. 1 if not.
        seed: of the split and the draws; None for the seed of the run, as the paper ran it.

    Raises:
        OptexpError: an impossible value.

    >>> ColouredMNIST().num_classes, ColouredMNIST(many=False, joined=False).num_classes
    (10010, 1000)
    >>> ColouredMNIST().facts
    Facts(train=100000, validation=20000, ratio=None)

    Source: the code of the paper; in none of its figures.
    """

    source: PlainImages = dataclasses.field(default_factory=MNIST)
    joined: bool = True
    many: bool = True
    normalised: bool = True
    seed: int | None = None

    def __post_init__(self) -> None:
        self._check("many")

    @classmethod
    def listed(cls) -> dict[str, ColouredMNIST]:
        """As the command line lists it."""
        return {"ColouredMNIST": cls(seed=0), "ColouredMNIST-only": cls(joined=False, seed=0)}

    @property
    def num_rare_classes(self) -> int:
        """Ten for each colour."""
        hues, saturations, _ = MANY if self.many else FEW
        return 10 * hues * saturations

    @property
    def rare_examples(self) -> tuple[int, int]:
        """Training and validation examples of each rare class."""
        return (MANY if self.many else FEW)[2]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, channels last."""
        return (*self.source.shape, 3)

    def load(self, workspace: Path) -> Data:
        """The images, grey ones first, then class after class.

        Raises:
            OptexpError: the source is not here or damaged, or there is no seed.
        """
        halves = self._halves(workspace)
        uses = ("train", "validation")
        parts = tuple(zip(halves, self.rare_examples, uses, strict=True))
        train, validation = (self._images(*part) for part in parts)
        if self.normalised:
            shift, scale = moments(train)
            for images in (train, validation):  # in place: they are the largest by far
                scaled(images, shift, scale, out=images)
        first, second = (self._labels(base, k) for base, k, _ in parts)
        return self._data((train, validation), (first, second))

    def _images(self, base: Split, examples: int, use: str) -> np.ndarray:
        """Float32 `[n, height, width, 3]` in 0 .. 1."""
        hues, saturations, _ = MANY if self.many else FEW
        order, starts, counts = members(np.asarray(base.labels), 10)
        if counts.min() < examples:
            raise OptexpError(
                f"{type(self).__name__} needs {examples} different images of each class, but "
                f"{type(self.source).__name__} has only {counts.min()} of one class: use a larger "
                "subset, or many=True.",
                code="too-few-images",
                dataset=type(self).__name__,
                source=type(self.source).__name__,
                wanted=examples,
                found=int(counts.min()),
            )
        sizes = np.broadcast_to(counts[:, None], (10, hues * saturations))
        drawn = order[starts[:, None, None] + different(sizes, examples, seed_of(self), use)]
        shade = np.broadcast_to(colours(hues, saturations)[:, None], (*drawn.shape, 3))
        images = np.asarray(base.inputs)
        return tinted(
            images[drawn.ravel()], shade.reshape(-1, 3), images if self.joined else images[:0]
        )


def colours(hues: int, saturations: int) -> np.ndarray:
    """Bright colours in red, green, blue, float32 `[saturations * hues, 3]`, hues innermost.

    >>> colours(3, 2).round(2).tolist()[:3]
    [[0.5, 1.0, 0.5], [0.5, 0.5, 1.0], [1.0, 0.5, 0.5]]
    """
    hue = np.tile(np.arange(1, hues + 1) / hues, saturations)[:, None]
    saturation = np.repeat(np.arange(1, saturations + 1) / saturations, hues)[:, None]
    # Each channel is full within a sixth of the circle around its hue, and falls off linearly.
    away = np.abs((hue - np.array([0, 1 / 3, 2 / 3]) + 0.5) % 1 - 0.5)
    return (1 - saturation * np.clip(6 * away - 1, 0, 1)).astype(np.float32)


def different(sizes: np.ndarray, k: int, seed: int, use: str) -> np.ndarray:
    """For each size n, k different numbers from 0 to n - 1, every set as likely as any other.

    Args:
        sizes: each at least k, any shape.
        k: how many numbers.
        seed: of the random numbers.
        use: what they are for.

    Returns:
        integers of the shape of the sizes and `[k]`.

    >>> different(np.array([3, 3]), 3, seed=0, use="example").sum(axis=1)
    array([3, 3])

    Source: R. W. Floyd, in J. Bentley, Programming pearls: a sample of brilliance, 1987.
    """
    chosen = np.empty((*sizes.shape, k), np.int64)
    for i in range(k):
        last = sizes - k + i
        one = random_below(last + 1, seed, f"{use} {i}")
        taken = (chosen[..., :i] == one[..., None]).any(axis=-1)
        chosen[..., i] = np.where(taken, last, one)
    return chosen


def tinted(images: np.ndarray, shades: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """Grey images, then coloured ones, in one array.

    Args:
        images: to be coloured, bytes `[n, height, width]`.
        shades: float32 `[n, 3]`.
        grey: bytes `[m, height, width]`.

    Returns:
        float32 `[m + n, height, width, 3]` in 0 .. 1.
    """
    out = np.empty((len(grey) + len(images), *images.shape[1:], 3), np.float32)
    for channel in range(3):
        scaled(grey, 0.0, 255.0, out=out[: len(grey), ..., channel])
        shade = shades[:, channel, None, None] / np.float32(255)
        np.multiply(images, shade, out=out[len(grey) :, ..., channel])
    return out
