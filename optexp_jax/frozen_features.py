"""The old name of `optexp_jax.datasets.frozen_features`."""

from optexp_jax.datasets.frozen_features import FrozenFeatures

__all__ = ["FrozenFeatures"]
