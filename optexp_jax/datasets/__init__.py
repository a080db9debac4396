"""Data sets: frozen values with `load(workspace)`."""

from optexp_jax.datasets.data import Data, Dataset, Split, counts_of
from optexp_jax.datasets.synthetic import (
    Gaussian,
    HeavyTailedOneHot,
    RandomHeavyTailedLabels,
    Uniform,
)

__all__ = [
    "Data",
    "Dataset",
    "Gaussian",
    "HeavyTailedOneHot",
    "RandomHeavyTailedLabels",
    "Split",
    "Uniform",
    "counts_of",
]
