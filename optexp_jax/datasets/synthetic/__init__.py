"""Problems that are drawn, not downloaded: heavy-tailed classes with known frequencies."""

from optexp_jax.datasets.synthetic.inputs import Gaussian, Uniform
from optexp_jax.datasets.synthetic.one_hot import HeavyTailedOneHot, PowerLawOneHot
from optexp_jax.datasets.synthetic.patterns import PatternImages
from optexp_jax.datasets.synthetic.power_law import GaussianMixture, ZipfMandelbrot
from optexp_jax.datasets.synthetic.random_labels import RandomHeavyTailedLabels
from optexp_jax.datasets.synthetic.zipf import ZipfBigram, ZipfUnigram

__all__ = [
    "Gaussian",
    "GaussianMixture",
    "HeavyTailedOneHot",
    "PatternImages",
    "PowerLawOneHot",
    "RandomHeavyTailedLabels",
    "Uniform",
    "ZipfBigram",
    "ZipfMandelbrot",
    "ZipfUnigram",
]
