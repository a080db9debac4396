"""Models: Flax Linen modules, each its own configuration, and the initialisers they hold."""

from optexp_jax.models.initializers import Initializer, Normal, TorchUniform, Zeros
from optexp_jax.models.linear import Linear

__all__ = ["Initializer", "Linear", "Normal", "TorchUniform", "Zeros"]
