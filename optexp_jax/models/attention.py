"""Causal self-attention, and the features of a transformer whose attention is frozen."""

from __future__ import annotations

import flax.linen as nn
import jax
import numpy as np

from optexp_jax.models.initializers import Initializer, Normal, TorchAttention, TorchUniform


def sinusoidal_positions(length: int, width: int) -> np.ndarray:
    """p_{t, 2i} = sin(t / 10000^{2i / width}) and p_{t, 2i+1} = cos of the same.

    Args:
        length: number of positions.
        width: of each.

    Returns:
        float64 `[length, width]`.

    >>> sinusoidal_positions(2, 4).round(3)
    array([[0.   , 1.   , 0.   , 1.   ],
           [0.841, 0.54 , 0.01 , 1.   ]])

    Source: Vaswani et al., Attention is all you need, 2017, section 3.5.
    """
    even = np.arange(0, width, 2)
    angles = np.arange(length)[:, None] / 10_000.0 ** (even / width)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, -1)[:, :width]


class CausalAttention(nn.Module):
    """Self-attention in which a position sees itself and what is before it.

    Args:
        num_heads: number of heads, a divisor of the width.
        dtype: of the computation, None for that of the parameters.

    Source: the paper's transformers, whose attention is PyTorch's with its default initialisation.
    """

    num_heads: int
    dtype: None = None

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        """Outputs `[n, time, width]` of inputs of that shape."""
        width = inputs.shape[-1]
        attention = nn.MultiHeadDotProductAttention(
            num_heads=self.num_heads,
            dtype=self.dtype,
            kernel_init=TorchAttention().build(width),
            out_kernel_init=TorchUniform().build(width),
            name="attention",
        )
        return attention(inputs, mask=nn.make_causal_mask(inputs[..., 0]))


class AttentionFeatures(nn.Module):
    """x + attention(x), where x is embedding · √width, plus positions.

    Args:
        vocabulary: number of tokens.
        width: of the features.
        num_heads: of the attention.
        positions: whether sinusoidal positions are added.
        embedding: initialiser of the embedding.
        dtype: of the computation, None for that of the parameters.

    >>> model = AttentionFeatures(vocabulary=5, width=4)
    >>> tokens = np.array([[0, 3, 1]])
    >>> model.apply(model.init(jax.random.key(0), tokens), tokens).shape
    (1, 3, 4)

    Source: the paper, section A.3: one layer of attention without norm, MLP or dropout.
    """

    vocabulary: int
    width: int
    num_heads: int = 1
    positions: bool = True
    embedding: Initializer = Normal(0.02)
    dtype: None = None

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        """Features `[n, time, width]` of tokens `[n, time]`."""
        initialize = self.embedding.build(self.width)
        table = self.param("embedding", initialize, (self.vocabulary, self.width))
        inputs = table[tokens] * self.width**0.5
        if self.positions:
            inputs += sinusoidal_positions(tokens.shape[1], self.width).astype(inputs.dtype)
        return inputs + CausalAttention(self.num_heads, self.dtype, name="block")(inputs)
