"""Initialisers as frozen values, so that a model's configuration holds them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from optexp_jax.registry import register


@register("Zeros")
@dataclasses.dataclass(frozen=True)
class Zeros:
    """All zeros."""

    def build(self, fan: int) -> Callable[..., jax.Array]:
        """An initialiser (key, shape, dtype) -> array."""
        del fan
        return jax.nn.initializers.zeros


@register("Normal")
@dataclasses.dataclass(frozen=True)
class Normal:
    """Independent N(mean, std²) entries.

    >>> Normal(0.02)
    Normal(std=0.02, mean=0.0)
    """

    std: float
    mean: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "std", float(self.std))
        object.__setattr__(self, "mean", float(self.mean))

    def build(self, fan: int) -> Callable[..., jax.Array]:
        """An initialiser (key, shape, dtype) -> array."""
        del fan

        def initialize(key: jax.Array, shape: Sequence[int], dtype=jnp.float32) -> jax.Array:
            # As one row: XLA may round otherwise in a loop over many rows of a few entries.
            drawn = self.mean + self.std * jax.random.normal(key, (math.prod(shape),), dtype)
            return jax.lax.optimization_barrier(drawn).reshape(shape)

        return initialize


@register("TorchUniform")
@dataclasses.dataclass(frozen=True)
class TorchUniform:
    """PyTorch's default for linear layers and their biases: U(-1/√fan, 1/√fan).

    The fan is the number of inputs of one output.
    """

    def build(self, fan: int) -> Callable[..., jax.Array]:
        """An initialiser (key, shape, dtype) -> array."""
        bound = fan**-0.5

        def initialize(key: jax.Array, shape: Sequence[int], dtype=jnp.float32) -> jax.Array:
            return jax.random.uniform(key, shape, dtype, -bound, bound)

        return initialize


@register("TorchAttention")
@dataclasses.dataclass(frozen=True)
class TorchAttention:
    """PyTorch's default for the projections of queries, keys and values: U(±√(6 / (4 fan))).

    Xavier's initialisation of the three projections stacked into one matrix.
    """

    def build(self, fan: int) -> Callable[..., jax.Array]:
        """An initialiser (key, shape, dtype) -> array."""
        bound = (6 / (4 * fan)) ** 0.5

        def initialize(key: jax.Array, shape: Sequence[int], dtype=jnp.float32) -> jax.Array:
            return jax.random.uniform(key, shape, dtype, -bound, bound)

        return initialize


@register("KaimingNormal")
@dataclasses.dataclass(frozen=True)
class KaimingNormal:
    """N(0, 2 / fan), for layers before a ReLU; ResNets of torchvision take the fan-out as fan."""

    def build(self, fan: int) -> Callable[..., jax.Array]:
        """An initialiser (key, shape, dtype) -> array."""
        return Normal((2 / fan) ** 0.5).build(fan)


Initializer = Zeros | Normal | TorchUniform | TorchAttention | KaimingNormal


@register("TransformerInit")
@dataclasses.dataclass(frozen=True)
class TransformerInit:
    """Initialisers of a transformer.

    Args:
        weights: of the embedding, the first layer of each MLP, and the head.
        mlp_out: of the second layer of each MLP.
        attention: of the projections of queries, keys and values.
        attention_out: of the projection that ends the attention.
        norm_weight: of the weights of norms.
        biases: of both layers of each MLP and of the head; those of the attention start at zero.

    >>> TransformerInit.of_encoder().norm_weight
    Normal(std=0.02, mean=1.0)

    Source: the paper's code, whose attention keeps the default initialisation of PyTorch.
    """

    weights: Initializer = Normal(0.02)
    mlp_out: Initializer = Normal(0.02)
    attention: Initializer = TorchAttention()
    attention_out: Initializer = TorchUniform()
    norm_weight: Initializer = Normal(0.0, mean=1.0)
    biases: Initializer = Zeros()

    @classmethod
    def of_encoder(cls, std: float = 0.02) -> TransformerInit:
        """N(0, std²), weights of norms N(1, std²): the small transformers of the paper."""
        return cls(Normal(std), Normal(std), norm_weight=Normal(std, mean=1.0))

    @classmethod
    def of_gpt(cls, depth: int, std: float = 0.02 * 2**0.5) -> TransformerInit:
        """N(0, std²), N(0, std² / (2 depth)) at the end of each MLP: the paper's GPT-2.

        >>> TransformerInit.of_gpt(depth=2, std=0.02).mlp_out
        Normal(std=0.01, mean=0.0)
        """
        return cls(Normal(std), Normal(std / (2 * depth) ** 0.5))

    @classmethod
    def of_torch_linear(cls) -> TransformerInit:
        """PyTorch's default of linear layers, for all of them."""
        linear = TorchUniform()
        return cls(linear, linear, linear, linear, biases=linear)
