"""The block of a transformer: attention and MLP, each with a residual and maybe a norm."""

from __future__ import annotations

import functools
from collections.abc import Callable

import flax.linen as nn
import jax

from optexp_jax.backend import computed_once
from optexp_jax.field_checks import check_choice
from optexp_jax.models.dense import dense, matrix_product
from optexp_jax.models.initializers import Initializer, TransformerInit

NORMS = ("post", "pre", "stream", "none")
_ACTIVATIONS = {
    "relu": nn.relu,
    "gelu": functools.partial(nn.gelu, approximate=False),
    "gelu_tanh": nn.gelu,
}


class Block(nn.Module):
    """Attention, then a two-layer perceptron, each a function f added to a residual stream x.

    Args:
        num_heads: number of heads.
        width_mlp: hidden units of the MLP, None for a block without one.
        norm: `post`, N(x + f(x)), the transformer of 2017; `pre`, x + f(N(x)), textbook GPT-2;
            `stream`, z + f(z) of z = N(x), as the paper ran GPT-2; `none`, x + f(x).
        activation: of the MLP: `relu`, `gelu`, or `gelu_tanh`, which approximates it.
        dropout: probability to drop an attention weight, or an entry of f(x), in training.
        hidden_dropout: probability to drop a hidden unit of the MLP in training.
        causal: whether a position sees itself and what is before it only.
        head_width: channels of a head, None for the width divided by num_heads.
        attention_bias: whether the projections of the attention have biases, which start at zero.
        init_values: initialisers.
        dtype: of the computation, None for that of the parameters.

    Raises:
        OptexpError: an unknown norm or activation.
    """

    num_heads: int
    width_mlp: int | None
    norm: str
    activation: str = "relu"
    dropout: float = 0.0
    hidden_dropout: float = 0.0
    causal: bool = True
    head_width: int | None = None
    attention_bias: bool = True
    init_values: TransformerInit = TransformerInit()
    dtype: None = None

    def __post_init__(self) -> None:
        check_choice(self, "norm", NORMS)
        check_choice(self, "activation", tuple(_ACTIVATIONS))
        super().__post_init__()

    @nn.compact
    def __call__(self, stream: jax.Array, train: bool) -> jax.Array:
        """The stream `[n, time, width]` after the block."""
        # Else the first blocks of twelve add up the gradients of all the others, many times.
        stream = computed_once(self._residual(stream, self._attention, "attention_norm", train))
        if self.width_mlp is None:
            return stream
        return computed_once(self._residual(stream, self._mlp, "mlp_norm", train))

    def _residual(
        self,
        stream: jax.Array,
        branch: Callable[[jax.Array, bool], jax.Array],
        name: str,
        train: bool,
    ) -> jax.Array:
        def f(inputs: jax.Array) -> jax.Array:
            return nn.Dropout(self.dropout, deterministic=not train)(branch(inputs, train))

        if self.norm == "none":
            return stream + f(stream)
        norm = layer_norm(self.init_values.norm_weight, self.dtype, name)
        if self.norm == "post":
            return norm(stream + f(stream))
        if self.norm == "pre":
            return stream + f(norm(stream))
        stream = norm(stream)
        return stream + f(stream)

    def _attention(self, inputs: jax.Array, train: bool) -> jax.Array:
        width = inputs.shape[-1]
        inner = self.num_heads * self.head_width if self.head_width else width
        attention = nn.MultiHeadDotProductAttention(
            num_heads=self.num_heads,
            qkv_features=inner,
            out_features=width,
            use_bias=self.attention_bias,
            kernel_init=self.init_values.attention.build(width),
            out_kernel_init=self.init_values.attention_out.build(inner),
            dropout_rate=self.dropout,
            broadcast_dropout=False,
            deterministic=not train,
            dtype=self.dtype,
            qkv_dot_general=matrix_product,
            out_dot_general=matrix_product,
            name="attention",
        )
        return attention(inputs, mask=nn.make_causal_mask(inputs[..., 0]) if self.causal else None)

    def _mlp(self, inputs: jax.Array, train: bool) -> jax.Array:
        hidden, width, init = self.width_mlp or 0, inputs.shape[-1], self.init_values
        first = dense(hidden, width, init.weights, init.biases, self.dtype, "mlp_in")
        last = dense(width, hidden, init.mlp_out, init.biases, self.dtype, "mlp_out")
        units = _ACTIVATIONS[self.activation](first(inputs))
        return last(nn.Dropout(self.hidden_dropout, deterministic=not train)(units))


def block_class(remat: bool) -> type[Block]:
    """The class of blocks; with `remat`, one whose backward pass computes its forward pass again.

    Such a block keeps its input only. It has the parameters and the random numbers of any other.
    """
    return nn.remat(Block, static_argnums=(2,)) if remat else Block


def layer_norm(weight: Initializer, dtype: None, name: str) -> nn.LayerNorm:
    """A norm of the last axis with PyTorch's ε."""
    return nn.LayerNorm(
        epsilon=1e-5,
        use_fast_variance=False,
        scale_init=weight.build(1),
        dtype=dtype,
        name=name,
    )
