"""ImageNet and its subsets, from a folder of images or from TensorFlow Datasets.

Fields that all share, by keyword: `num_classes`, `size`, `source`, `augment`, `evaluated` and
`validated`, see `ImageNetFamily`.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from optexp_jax.datasets.data import Facts
from optexp_jax.datasets.imagenet.family import ImageNetFamily
from optexp_jax.registry import register


@register("ImageNet")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageNet(ImageNetFamily):
    """ImageNet: 1,281,167 training and 50,000 validation images of 1,000 classes.

    Args:
        evaluated: number of training images, always the same, on whose centre crops the training
            loss is measured; None for all.

    Raises:
        OptexpError: a field has an impossible value.

    >>> ImageNet().input_shape, ImageNet().facts.train
    ((224, 224, 3), 1281167)

    Source: the paper, figure 16.
    """

    evaluated: int | None = 50_000

    @property
    def facts(self) -> Facts:
        """Sizes, where the images are those of ImageNet."""
        whole = self.source == "ImageNet" and self.num_classes == 1000
        validation = min(self.validated or 50_000, 50_000)
        return Facts(1_281_167, validation, 1300 / 732) if whole else Facts()


@register("SmallImageNet")
@dataclasses.dataclass(frozen=True)
class SmallImageNet(ImageNetFamily):
    """Equally many training images of each class.

    Args:
        per_class: training images of each class; a class that has fewer gives all.
        seed: of the selection.

    Raises:
        OptexpError: a field has an impossible value.

    >>> SmallImageNet().facts
    Facts(train=10000, validation=50000, ratio=1.0)

    Source: the paper, figures 3 and 17.
    """

    per_class: int = 10
    seed: int = 0

    def profile(self) -> np.ndarray:
        """Images asked for of the k-th most frequent class, `[num_classes]`."""
        return np.full(self.num_classes, self.per_class)


@register("HeavyTailedImageNet")
@dataclasses.dataclass(frozen=True)
class HeavyTailedImageNet(ImageNetFamily):
    """⌈largest / k⌉ training images of the k-th most frequent class.

    Classes with equally many images in ImageNet are in order of their index.

    Args:
        largest: training images of the most frequent class; a class that has fewer gives all.
        seed: of the selection.

    Raises:
        OptexpError: a field has an impossible value.

    >>> HeavyTailedImageNet().profile()[:5], HeavyTailedImageNet().facts
    (array([1300,  650,  434,  325,  260]), Facts(train=10217, validation=50000, ratio=650.0))

    Source: the paper, section A.1 and figures 3 and 17.
    """

    largest: int = 1300
    seed: int = 0

    def profile(self) -> np.ndarray:
        """Images asked for of the k-th most frequent class, `[num_classes]`."""
        return -(-self.largest // np.arange(1, self.num_classes + 1))


class _BigClasses(ImageNetFamily):
    """A few big classes, and equally many images of each other class."""

    per_class: int
    largest: int
    _big: int

    def profile(self) -> np.ndarray:
        """Images asked for of the k-th most frequent class, `[num_classes]`."""
        counts = np.full(self.num_classes, self.per_class)
        counts[: self._big] = self.largest
        return counts


@register("TenBigClassImageNet")
@dataclasses.dataclass(frozen=True)
class TenBigClassImageNet(_BigClasses):
    """The ten most frequent classes whole, 10 images of each other class: half of all in each.

    The paper's authors made theirs by hand and do not say how: this is our definition.

    Args:
        per_class: training images of each other class; a class that has fewer gives all.
        largest: training images of each big class; likewise.
        seed: of the selection.

    Raises:
        OptexpError: a field has an impossible value.

    >>> TenBigClassImageNet().facts
    Facts(train=22900, validation=50000, ratio=130.0)

    Source: the name and a loader are in the paper's code; no figure shows it.
    """

    per_class: int = 10
    largest: int = 1300
    seed: int = 0

    _big = 10


@register("OneMajorClassImageNet")
@dataclasses.dataclass(frozen=True)
class OneMajorClassImageNet(_BigClasses):
    """The most frequent class whole, 10 images of each other class: one image in nine is of it.

    This is the share of the largest class of `HeavyTailedImageNet`, without its tail. The paper's
    authors made theirs by hand and do not say how: this is our definition.

    Args:
        per_class: training images of each other class; a class that has fewer gives all.
        largest: training images of the big class; likewise.
        seed: of the selection.

    Raises:
        OptexpError: a field has an impossible value.

    >>> OneMajorClassImageNet().facts
    Facts(train=11290, validation=50000, ratio=130.0)

    Source: the name and a loader are in the paper's code; no figure shows it.
    """

    per_class: int = 10
    largest: int = 1300
    seed: int = 0

    _big = 1
