"""Paper models: frozen values with the fields that models to come need, and no code.

They are named with the prefix `paper-`, so that the real classes are free to take their names.
"""

import dataclasses

import flax.linen as nn

from optexp_jax import identity
from optexp_jax.models import Normal, TorchUniform, Zeros


@identity.register("paper-scaled-by-depth")
@dataclasses.dataclass(frozen=True)
class ScaledByDepth:
    """N(0, 2 std²), divided by √(2 depth) on layers that end a residual branch (GPT-2)."""

    std: float
    depth: int


@identity.register("paper-transformer-init")
@dataclasses.dataclass(frozen=True)
class TransformerInit:
    weights: Normal | ScaledByDepth | TorchUniform
    attention: Normal | TorchUniform
    norm_weight: Normal


ENCODER_INIT = TransformerInit(Normal(0.02), TorchUniform(), Normal(0.02, mean=1.0))
GPT_INIT = TransformerInit(ScaledByDepth(0.02, 12), TorchUniform(), Normal(0.0, mean=1.0))


@identity.register("paper-transformer")
class Transformer(nn.Module):
    vocabulary: int
    num_classes: int
    depth: int
    num_heads: int
    width: int
    width_mlp: int | None
    dropout: float = 0.0
    layer_norm: bool = True
    positions: bool = True
    init_values: TransformerInit = ENCODER_INIT
    frozen: tuple[str, ...] = ()
    dtype: None = None


@identity.register("paper-gpt")
class GPT(nn.Module):
    vocabulary: int
    num_classes: int
    depth: int = 12
    num_heads: int = 12
    width: int = 768
    dropout: float = 0.1
    residual: str = "normalised"  # as the paper ran it; "pre-norm" is GPT-2's
    init_values: TransformerInit = GPT_INIT
    frozen: tuple[str, ...] = ()
    dtype: None = None


@identity.register("paper-cnn")
class CNN(nn.Module):
    num_classes: int
    channels: tuple[int, ...] = (32, 100)
    dtype: None = None


@identity.register("paper-resnet")
class ResNet(nn.Module):
    num_classes: int
    norm: str = "batch"  # has a model state; "layer" has none
    stages: tuple[int, ...] = (2, 2, 2, 2)
    dtype: None = None


@identity.register("paper-vit")
class ViT(nn.Module):
    num_classes: int
    patch: int = 16
    width: int = 384
    dtype: None = None


@identity.register("paper-mlp")
class MLP(nn.Module):
    num_classes: int
    hidden: tuple[int, ...]
    activation: str = "relu"
    init_values: Normal | TorchUniform | Zeros = TorchUniform()
