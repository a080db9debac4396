"""Data sets: frozen values with `load(workspace)`.

`python -m optexp_jax.datasets list` shows them.
"""

from optexp_jax.datasets.classes import counts_of
from optexp_jax.datasets.data import Data, Dataset, Facts, InFiles, Report, Split, Streamed
from optexp_jax.datasets.imagenet import (
    HeavyTailedImageNet,
    ImageNet,
    OneMajorClassImageNet,
    SmallImageNet,
    TenBigClassImageNet,
)
from optexp_jax.datasets.images import MNIST, BarcodedMNIST, ColouredMNIST, Digits, FashionMNIST
from optexp_jax.datasets.synthetic import (
    Gaussian,
    GaussianMixture,
    HeavyTailedOneHot,
    PatternImages,
    PowerLawOneHot,
    RandomHeavyTailedLabels,
    Uniform,
    ZipfMandelbrot,
)
from optexp_jax.datasets.text import (
    BPE,
    PTB,
    Characters,
    Sequences,
    Shakespeare,
    ShakespeareExcerpt,
    Streams,
    TinyPTB,
    TinyStories,
    TinyWikiText2,
    Unigram,
    WikiText2,
    WikiText103,
    Words,
)

__all__ = [
    "BPE",
    "MNIST",
    "PTB",
    "BarcodedMNIST",
    "Characters",
    "ColouredMNIST",
    "Data",
    "Dataset",
    "Digits",
    "Facts",
    "FashionMNIST",
    "Gaussian",
    "GaussianMixture",
    "HeavyTailedImageNet",
    "HeavyTailedOneHot",
    "ImageNet",
    "InFiles",
    "OneMajorClassImageNet",
    "PatternImages",
    "PowerLawOneHot",
    "RandomHeavyTailedLabels",
    "Report",
    "Sequences",
    "Shakespeare",
    "ShakespeareExcerpt",
    "SmallImageNet",
    "Split",
    "Streamed",
    "Streams",
    "TenBigClassImageNet",
    "TinyPTB",
    "TinyStories",
    "TinyWikiText2",
    "Uniform",
    "Unigram",
    "WikiText2",
    "WikiText103",
    "Words",
    "ZipfMandelbrot",
    "counts_of",
]
