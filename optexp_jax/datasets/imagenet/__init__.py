"""ImageNet and its subsets: images in files, chosen by a rule and decoded as they are needed."""

from optexp_jax.datasets.imagenet.imagenet import (
    HeavyTailedImageNet,
    ImageNet,
    OneMajorClassImageNet,
    SmallImageNet,
    TenBigClassImageNet,
)

__all__ = [
    "HeavyTailedImageNet",
    "ImageNet",
    "OneMajorClassImageNet",
    "SmallImageNet",
    "TenBigClassImageNet",
]
