"""Data sets: frozen values with `load(workspace)`."""

from optexp_jax.datasets.data import Data, Dataset, Facts, Report, Split, Streamed, counts_of
from optexp_jax.datasets.synthetic import (
    Gaussian,
    HeavyTailedOneHot,
    RandomHeavyTailedLabels,
    Uniform,
)

__all__ = [
    "Data",
    "Dataset",
    "Facts",
    "Gaussian",
    "HeavyTailedOneHot",
    "RandomHeavyTailedLabels",
    "Report",
    "Split",
    "Streamed",
    "Uniform",
    "counts_of",
]
