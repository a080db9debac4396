"""Images that are drawn, not downloaded: a coloured pattern for each class, and noise."""

from __future__ import annotations

import dataclasses
import functools
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.datasets.classes import ByFrequency, labels_of
from optexp_jax.datasets.data import Data, Facts, Split
from optexp_jax.datasets.seeds import key_for
from optexp_jax.datasets.synthetic.power_law import power_law_counts
from optexp_jax.field_checks import check_integer, check_number, check_seed
from optexp_jax.numerics import pinned
from optexp_jax.registry import register


@register("PatternImages")
@dataclasses.dataclass(frozen=True)
class PatternImages(ByFrequency):
    """Images of classes with frequencies ∝ 1 / k^power: x = p_y + noise · N(0, I).

    The pattern p_k is 4 x 4 random colours N(0, 1), enlarged to the size of the image by smooth
    interpolation. Class k has ⌈least · (c / k)^power⌉ training and one validation image.

    Args:
        num_classes: number of classes c.
        power: of the law; 0 for classes of the same frequency.
        least: training images of the least frequent class.
        size: height and width, in pixels, a multiple of 4.
        noise: standard deviation of the noise.
        seed: of patterns and noise.

    Raises:
        OptexpError: an impossible value.

    >>> dataset = PatternImages(num_classes=4, least=1, size=8)
    >>> dataset.class_counts(), dataset.load(Path()).train.inputs.shape
    (array([4, 2, 2, 1]), (9, 8, 8, 3))

    Source: not in the paper; in place of its subsets of ImageNet on a machine without them.
    """

    num_classes: int = 100
    power: float = 1.0
    least: int = 2
    size: int = 16
    noise: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        name = type(self).__name__
        for field, least in (("num_classes", 2), ("least", 1), ("size", 4)):
            check_integer(f"{field} of {name}", getattr(self, field), least)
        check_number(f"power of {name}", self.power)
        check_number(f"noise of {name}", self.noise)
        check_seed(name, self.seed)
        self.class_counts()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Height, width and channels."""
        return self.size, self.size, 3

    def class_counts(self, workspace: Path | None = None) -> np.ndarray:
        """Training images of each class, most frequent first."""
        del workspace
        return power_law_counts(self.num_classes, self.power, 0.0, self.least)

    @property
    def facts(self) -> Facts:
        """Sizes."""
        return dataclasses.replace(Facts.of(self.class_counts()), validation=self.num_classes)

    def load(self, workspace: Path) -> Data:
        """Images drawn from the seed on the device, labels in order of frequency."""
        del workspace
        with pinned():
            return self._drawn(self.class_counts())

    def _drawn(self, counts: np.ndarray) -> Data:
        colours = _normal(key_for(self, "patterns"), (self.num_classes, 4, 4, 3))
        # One after the other, so that none depends on how many there are.
        enlarge = functools.partial(jax.image.resize, shape=self.input_shape, method="cubic")
        patterns = jax.lax.map(enlarge, colours)

        def images(labels: np.ndarray, use: str) -> Split:
            drawn = _normal(key_for(self, use), (len(labels), *self.input_shape))
            return Split(patterns[jnp.asarray(labels)] + self.noise * drawn, labels)

        validation = np.arange(self.num_classes, dtype=np.int32)
        return Data(images(labels_of(counts), "train"), counts, images(validation, "validation"))


def _normal(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    # As one row: XLA may round otherwise in a loop over many rows of three channels.
    return jax.random.normal(key, (math.prod(shape),)).reshape(shape)
