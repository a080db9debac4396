"""The features of a transformer whose embedding and attention are frozen."""

from __future__ import annotations

import flax.linen as nn
import jax

from optexp_jax.models.block import Block
from optexp_jax.models.initializers import Initializer, Normal
from optexp_jax.models.positions import embed


class AttentionFeatures(nn.Module):
    """x + attention(x), where x is embedding · √width, plus positions.

    Args:
        vocabulary: number of tokens.
        width: of the features.
        num_heads: of the attention.
        positions: whether sinusoidal positions are added.
        embedding: initialiser of the embedding.
        dtype: of the computation, None for that of the parameters.

    >>> import jax.numpy as jnp
    >>> model = AttentionFeatures(vocabulary=5, width=4)
    >>> tokens = jnp.array([[0, 3, 1]])
    >>> jax.eval_shape(model.init_with_output, jax.random.key(0), tokens)[0].shape
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
        inputs = embed(table, tokens, self.positions)
        block = Block(self.num_heads, width_mlp=None, norm="none", dtype=self.dtype, name="block")
        return block(inputs, train=False)
