"""Paper models: frozen values with the fields that models and data sets to come need, and no code.

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


@identity.register("paper-bpe")
@dataclasses.dataclass(frozen=True)
class BPE:
    size: int


@identity.register("paper-words")
@dataclasses.dataclass(frozen=True)
class Words:
    size: int


@identity.register("paper-ptb")
@dataclasses.dataclass(frozen=True)
class PTB:
    streams: int = 512
    length: int = 35
    tokens: Words | BPE = Words(9922)
    merge_factor: int = 1  # this many neighbouring words are one class
    eval_sequences: int | None = None  # training loss is measured on so many; None is all

    @property
    def num_classes(self) -> int:
        return -(-self.tokens.size // self.merge_factor)


@identity.register("paper-tiny-ptb")
class TinyPTB(PTB):
    pass


@identity.register("paper-wikitext103")
@dataclasses.dataclass(frozen=True)
class WikiText103:
    length: int = 1024
    tokens: Words | BPE = BPE(50_608)
    eval_sequences: int | None = None

    @property
    def num_classes(self) -> int:
        return self.tokens.size


@identity.register("paper-mnist")
@dataclasses.dataclass(frozen=True)
class MNIST:
    pixels: str = "raw"  # as the paper ran it; "standardised" is that of the barcoded sets

    num_classes = 10


@identity.register("paper-mnist-barcode-only")
@dataclasses.dataclass(frozen=True)
class MNISTBarcodeOnly:
    zero_barcode: bool = True  # as the paper ran it: ten rare classes are unmodified digits
    seed: int | None = None

    @property
    def num_classes(self) -> int:
        return 10 * (1023 + self.zero_barcode)


@identity.register("paper-mnist-and-barcode")
@dataclasses.dataclass(frozen=True)
class MNISTAndBarcode:
    zero_barcode: bool = True
    seed: int | None = None

    @property
    def num_classes(self) -> int:
        return 10 + 10 * (1023 + self.zero_barcode)


@identity.register("paper-imagenet")
@dataclasses.dataclass(frozen=True)
class ImageNet:
    subset: str | None = None  # "small" or "heavy-tailed"
    augment: bool = True
    seed: int | None = None

    num_classes = 1000
