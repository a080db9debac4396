"""Residual networks, with norms over the batch or over the layer."""

from __future__ import annotations

import functools
from collections.abc import Callable

import flax.linen as nn
import jax

from optexp_jax.field_checks import check_choice, check_sizes
from optexp_jax.models.convolution import Conv, max_pool
from optexp_jax.models.dense import dense
from optexp_jax.models.initializers import Initializer, KaimingNormal
from optexp_jax.registry import register

NORMS = ("batch", "layer")


@register("ResNet")
class ResNet(nn.Module):
    """A residual network for images, that of torchvision.

    Args:
        num_classes: number of logits.
        depths: blocks in each stage; each stage has twice the channels of the one before.
        bottleneck: blocks of three convolutions (1, 3, 1) with four times the channels at their
            end, not of two (3, 3).
        norm: `batch`, with running statistics in evaluation, or `layer`: one group of all channels
            and pixels of an image.
        width: channels of the first stage.
        init_values: initialiser of the convolutions, which is given the fan-out.
        dtype: of the computation, None for that of the parameters.

    Raises:
        OptexpError: an unknown norm or an impossible size.

    >>> resnet18(num_classes=1000).depths, resnet50(num_classes=1000).bottleneck
    ((2, 2, 2, 2), True)

    Source: He et al., 2016; the paper, figures 3 (batch) and 15 (layer).
    """

    num_classes: int
    depths: tuple[int, ...] = (2, 2, 2, 2)
    bottleneck: bool = False
    norm: str = "batch"
    width: int = 64
    init_values: Initializer = KaimingNormal()
    dtype: None = None

    def __post_init__(self) -> None:
        check_sizes(self, "num_classes", "width")
        check_choice(self, "norm", NORMS)
        super().__post_init__()

    @nn.compact
    def __call__(self, images: jax.Array, train: bool = False) -> jax.Array:
        """Logits `[n, num_classes]` of images `[n, height, width, channels]`."""
        conv = functools.partial(
            Conv, use_bias=False, init_values=self.init_values, fan_out=True, dtype=self.dtype
        )
        norm = functools.partial(_norm, self.norm, train, self.dtype)
        outputs = conv(self.width, 7, stride=2, padding=3, name="conv")(images)
        outputs = max_pool(nn.relu(norm("norm")(outputs)), 3, stride=2, padding=1)
        block = _Bottleneck if self.bottleneck else _Basic
        for stage, depth in enumerate(self.depths):
            for number in range(depth):
                stride = 2 if stage and not number else 1
                name = f"block_{stage}_{number}"
                outputs = block(self.width * 2**stage, stride, conv, norm, name=name)(outputs)
        features = outputs.mean(axis=(1, 2))
        return dense(self.num_classes, features.shape[-1], dtype=self.dtype, name="head")(features)

    @property
    def modes_coincide(self) -> bool:
        """Whether training and evaluation compute the same logits."""
        return self.norm == "layer"


def resnet18(num_classes: int, norm: str = "batch") -> ResNet:
    """ResNet-18: 11.7 million parameters for 1,000 classes."""
    return ResNet(num_classes, norm=norm)


def resnet50(num_classes: int, norm: str = "batch") -> ResNet:
    """ResNet-50: 25.6 million parameters for 1,000 classes."""
    return ResNet(num_classes, depths=(3, 4, 6, 3), bottleneck=True, norm=norm)


def _norm(kind: str, train: bool, dtype: None, name: str) -> nn.Module:
    if kind == "layer":
        return nn.GroupNorm(
            num_groups=1, epsilon=1e-5, use_fast_variance=False, dtype=dtype, name=name
        )
    return nn.BatchNorm(
        use_running_average=not train,
        momentum=0.9,
        epsilon=1e-5,
        use_fast_variance=False,
        dtype=dtype,
        name=name,
    )


class _Basic(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x))))))."""

    channels: int
    stride: int
    conv: Callable[..., nn.Module]
    norm: Callable[..., nn.Module]

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        first = self.conv(self.channels, 3, stride=self.stride, padding=1, name="conv_0")
        second = self.conv(self.channels, 3, padding=1, name="conv_1")
        outputs = nn.relu(self.norm("norm_0")(first(inputs)))
        outputs = self.norm("norm_1")(second(outputs))
        return nn.relu(outputs + _shortcut(self, inputs, self.channels))


class _Bottleneck(nn.Module):
    """relu(x + three convolutions), the middle one with a quarter of the channels."""

    channels: int
    stride: int
    conv: Callable[..., nn.Module]
    norm: Callable[..., nn.Module]

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        wide = 4 * self.channels
        reduce = self.conv(self.channels, 1, name="conv_0")
        middle = self.conv(self.channels, 3, stride=self.stride, padding=1, name="conv_1")
        expand = self.conv(wide, 1, name="conv_2")
        outputs = nn.relu(self.norm("norm_0")(reduce(inputs)))
        outputs = nn.relu(self.norm("norm_1")(middle(outputs)))
        outputs = self.norm("norm_2")(expand(outputs))
        return nn.relu(outputs + _shortcut(self, inputs, wide))


def _shortcut(block: _Basic | _Bottleneck, inputs: jax.Array, channels: int) -> jax.Array:
    """The input of a block in the shape of its output."""
    if block.stride == 1 and inputs.shape[-1] == channels:
        return inputs
    conv = block.conv(channels, 1, stride=block.stride, name="conv_shortcut")
    return block.norm("norm_shortcut")(conv(inputs))
