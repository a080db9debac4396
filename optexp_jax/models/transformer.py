"""Language models: the transformers of the paper and its GPT-2."""

from __future__ import annotations

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_choice, check_dropout, check_sizes
from optexp_jax.models.block import NORMS, block_class, layer_norm
from optexp_jax.models.dense import dense
from optexp_jax.models.initializers import TransformerInit
from optexp_jax.models.positions import embed
from optexp_jax.registry import register

PARTS = ("embedding", "attention", "mlp", "norm", "head")


class _LanguageModel(nn.Module):
    """Base class of both language models: checks, frozen parameters, and the head."""

    vocabulary: int
    num_classes: int
    depth: int
    num_heads: int
    width: int
    width_mlp: int | None = None
    dropout: float = 0.0
    norm: str = "post"
    init_values: TransformerInit = TransformerInit.of_encoder()
    frozen: tuple[str, ...] = ()
    merge_factor: int = 1
    dtype: None = None
    remat: bool = dataclasses.field(default=False, compare=False)

    def __post_init__(self) -> None:
        kind = type(self).__name__
        sizes = ("vocabulary", "num_classes", "depth", "num_heads", "width", "merge_factor")
        check_sizes(self, *sizes, *(() if self.width_mlp is None else ("width_mlp",)))
        check_choice(self, "norm", NORMS)
        check_dropout(self)
        if self.width % self.num_heads:
            raise OptexpError(
                f"width of {kind} must be a multiple of num_heads, not {self.width} for "
                f"{self.num_heads} heads.",
                code="not-a-multiple",
                field="width",
                kind=kind,
                value=self.width,
                of=self.num_heads,
            )
        if set(self.frozen) - set(PARTS):
            raise OptexpError(
                f"frozen of {kind} must name some of {', '.join(PARTS)}, not {self.frozen!r}.",
                code="unknown-part",
                field="frozen",
                kind=kind,
                value=self.frozen,
                known=PARTS,
            )
        if self.merge_factor > 1 and self.num_classes != -(-self.vocabulary // self.merge_factor):
            raise OptexpError(
                f"{kind} merges {self.vocabulary} tokens into classes of {self.merge_factor}: that "
                f"makes {-(-self.vocabulary // self.merge_factor)} classes, not "
                f"{self.num_classes}.",
                code="merged-classes-wrong",
                kind=kind,
                vocabulary=self.vocabulary,
                merge_factor=self.merge_factor,
                num_classes=self.num_classes,
            )
        super().__post_init__()

    def trainable(self, path: str) -> bool:
        """Whether a parameter is trained: it lies in no part that is frozen."""
        names = path.split("/")
        return not any(_belongs(names, part) for part in self.frozen)

    @property
    def modes_coincide(self) -> bool:
        """Whether training and evaluation compute the same logits."""
        return not self.dropout

    def _embedded(self, tokens: jax.Array, train: bool, positions: bool) -> jax.Array:
        initialize = self.init_values.weights.build(self.width)
        table = self.param("embedding", initialize, (self.vocabulary, self.width))
        stream = embed(table.astype(self.dtype or table.dtype), tokens, positions)
        return nn.Dropout(self.dropout, deterministic=not train)(stream)

    def _logits(self, stream: jax.Array) -> jax.Array:
        return self._merged(self._head("head")(stream))

    @nn.nowrap
    def _head(self, name: str | None = None) -> nn.Dense:
        outputs = self.num_classes if self.merge_factor == 1 else self.vocabulary
        init = self.init_values
        return dense(outputs, self.width, init.weights, init.biases, self.dtype, name)

    @nn.nowrap
    def _merged(self, logits: jax.Array) -> jax.Array:
        """The logits of classes of neighbouring tokens."""
        if self.merge_factor == 1:
            return logits
        missing = self.num_classes * self.merge_factor - self.vocabulary
        logits = jnp.pad(logits, (*[(0, 0)] * (logits.ndim - 1), (0, missing)))
        return logits.reshape(*logits.shape[:-1], self.num_classes, self.merge_factor).sum(-1)

    @nn.nowrap
    def head_logits(self, params: Any, hidden: jax.Array) -> jax.Array:
        """The logits of what the model returns with `head=False`, at its parameters."""
        logits: Any = self._head().apply({"params": params["head"]}, hidden)
        return self._merged(logits)


@register("Transformer")
class Transformer(_LanguageModel):
    """A causal transformer: embedding · √width, positions, blocks with ReLU, a head with bias.

    Args:
        vocabulary: number of tokens of the inputs.
        num_classes: number of logits.
        depth: number of blocks.
        num_heads: number of heads, a divisor of the width.
        width: of the residual stream.
        width_mlp: hidden units of the MLPs, None for blocks of attention only.
        dropout: probability to drop an entry: of the embedding, of attention weights, of hidden
            units, and of what is added to the residual stream; in training only.
        norm: where blocks have a norm: `post`, as in the paper, `none`, `pre` or `stream`; see
            `optexp_jax.models.Block`.
        init_values: initialisers, those of the paper unless given.
        frozen: parts that are not trained, of `embedding`, `attention`, `mlp`, `norm`, `head`.
        merge_factor: so many neighbouring tokens are one class, whose logit is the sum of theirs.
        dtype: of the computation, None for that of the parameters.
        remat: whether blocks are computed again in the backward pass; no part of an identity.
        positions: whether sinusoidal positions are added.

    Raises:
        OptexpError: an impossible size, an unknown norm or part.

    >>> model = Transformer(vocabulary=9, num_classes=9, depth=2, num_heads=2, width=8)
    >>> tokens = jnp.array([[0, 3, 1]])
    >>> jax.eval_shape(model.init_with_output, jax.random.key(0), tokens)[0].shape
    (1, 3, 9)

    Source: the paper, section A.3, and figures 5, 12, 13.
    """

    positions: bool = True

    @nn.compact
    def __call__(self, tokens: jax.Array, train: bool = False, head: bool = True) -> jax.Array:
        """Logits `[n, time, num_classes]` of the token after each of tokens `[n, time]`.

        Without the head: the inputs of the last layer, `[n, time, width]`.
        """
        stream = self._embedded(tokens, train, self.positions)
        for number in range(self.depth):
            block = block_class(self.remat)(
                self.num_heads,
                self.width_mlp,
                self.norm,
                dropout=self.dropout,
                hidden_dropout=self.dropout,
                init_values=self.init_values,
                dtype=self.dtype,
                name=f"block_{number}",
            )
            stream = block(stream, train)
        return self._logits(stream) if head else stream


@register("GPT")
class GPT(_LanguageModel):
    """GPT-2 with sinusoidal positions and an untied head: blocks with GELU, a last norm.

    Args:
        vocabulary: number of tokens of the inputs.
        num_classes: number of logits.
        depth: number of blocks.
        num_heads: number of heads, a divisor of the width.
        width: of the residual stream.
        width_mlp: hidden units of the MLPs, None for 4 · width.
        dropout: probability to drop an entry: of the embedding, of attention weights, and of what
            is added to the residual stream; in training only.
        norm: `stream`, blocks that normalise the residual stream, as in the paper's code; `pre`
            for those of GPT-2.
        init_values: initialisers; those of the paper for 12 blocks unless given.
        frozen: parts that are not trained, of `embedding`, `attention`, `mlp`, `norm`, `head`.
        merge_factor: so many neighbouring tokens are one class, whose logit is the sum of theirs.
        dtype: of the computation, None for that of the parameters.
        remat: whether blocks are computed again in the backward pass; no part of an identity.

    Raises:
        OptexpError: an impossible size, an unknown norm or part.

    >>> model = GPT(vocabulary=9, num_classes=9, depth=1, num_heads=2, width=8)
    >>> tokens = jnp.array([[0, 3, 1]])
    >>> jax.eval_shape(model.init_with_output, jax.random.key(0), tokens)[0].shape
    (1, 3, 9)

    Source: Radford et al., 2019; the paper, figure 1.
    """

    depth: int = 12
    num_heads: int = 12
    width: int = 768
    dropout: float = 0.1
    norm: str = "stream"
    init_values: TransformerInit = TransformerInit.of_gpt(depth=12)

    @nn.compact
    def __call__(self, tokens: jax.Array, train: bool = False, head: bool = True) -> jax.Array:
        """Logits `[n, time, num_classes]` of the token after each of tokens `[n, time]`.

        Without the head: the inputs of the last layer, `[n, time, width]`.
        """
        stream = self._embedded(tokens, train, positions=True)
        for number in range(self.depth):
            block = block_class(self.remat)(
                self.num_heads,
                self.width_mlp or 4 * self.width,
                self.norm,
                activation="gelu_tanh",
                dropout=self.dropout,
                init_values=self.init_values,
                dtype=self.dtype,
                name=f"block_{number}",
            )
            stream = block(stream, train)
        stream = layer_norm(self.init_values.norm_weight, self.dtype, "norm")(stream)
        return self._logits(stream) if head else stream


def _belongs(names: list[str], part: str) -> bool:
    """Whether a path of names lies in a part; norms belong to no other part."""
    norm = any(name == "norm" or name.endswith("_norm") for name in names)
    if norm or part == "norm":
        return norm and part == "norm"
    return any(name.split("_")[0] == part for name in names)
