"""Models: Flax Linen modules, each its own configuration, and the initialisers they hold."""

from optexp_jax.models.attention import AttentionFeatures, CausalAttention, sinusoidal_positions
from optexp_jax.models.initializers import (
    Initializer,
    Normal,
    TorchAttention,
    TorchUniform,
    Zeros,
)
from optexp_jax.models.linear import Linear

__all__ = [
    "AttentionFeatures",
    "CausalAttention",
    "Initializer",
    "Linear",
    "Normal",
    "TorchAttention",
    "TorchUniform",
    "Zeros",
    "sinusoidal_positions",
]
