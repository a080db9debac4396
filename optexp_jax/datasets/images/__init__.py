"""Grey images of ten classes, and ten thousand rare classes made from them."""

from optexp_jax.datasets.images.barcoded import BarcodedMNIST
from optexp_jax.datasets.images.coloured import ColouredMNIST
from optexp_jax.datasets.images.digits import Digits
from optexp_jax.datasets.images.mnist import MNIST, FashionMNIST

__all__ = ["MNIST", "BarcodedMNIST", "ColouredMNIST", "Digits", "FashionMNIST"]
