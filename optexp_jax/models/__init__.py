"""Models as Flax Linen modules, and their initialisers."""

from optexp_jax.extras import require

require("run", "flax")

from optexp_jax.models.block import Block
from optexp_jax.models.cnn import CNN, ImageNetCNN
from optexp_jax.models.convolution import Conv, convolve, max_pool
from optexp_jax.models.features import AttentionFeatures
from optexp_jax.models.initializers import (
    Initializer,
    KaimingNormal,
    Normal,
    TorchAttention,
    TorchUniform,
    TransformerInit,
    Zeros,
)
from optexp_jax.models.linear import Linear
from optexp_jax.models.memory import AssociativeMemory
from optexp_jax.models.mlp import MLP
from optexp_jax.models.nnx import Nnx
from optexp_jax.models.positions import positions_in_plane, sinusoidal_positions
from optexp_jax.models.resnet import ResNet, resnet18, resnet50
from optexp_jax.models.transformer import GPT, Transformer
from optexp_jax.models.vit import SimpleViT

__all__ = [
    "CNN",
    "GPT",
    "MLP",
    "AssociativeMemory",
    "AttentionFeatures",
    "Block",
    "Conv",
    "ImageNetCNN",
    "Initializer",
    "KaimingNormal",
    "Linear",
    "Nnx",
    "Normal",
    "ResNet",
    "SimpleViT",
    "TorchAttention",
    "TorchUniform",
    "Transformer",
    "TransformerInit",
    "Zeros",
    "convolve",
    "max_pool",
    "positions_in_plane",
    "resnet18",
    "resnet50",
    "sinusoidal_positions",
]
