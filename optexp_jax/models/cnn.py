"""Two small convolutional networks."""

from __future__ import annotations

import flax.linen as nn
import jax

from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_sizes
from optexp_jax.models.convolution import Conv, max_pool
from optexp_jax.models.dense import dense
from optexp_jax.registry import register


@register("CNN")
class CNN(nn.Module):
    """Blocks of convolution 5 x 5, ReLU and max-pooling 2 x 2, then a linear layer.

    Args:
        num_classes: number of logits.
        channels: output channels of each convolution.
        dtype: of the computation, None for that of the parameters.

    Raises:
        OptexpError: num_classes is not an integer from 1.

    >>> import jax.numpy as jnp
    >>> params = jax.eval_shape(CNN(10).init, jax.random.key(0), jnp.ones((1, 28, 28, 1)))
    >>> sum(leaf.size for leaf in jax.tree.leaves(params))
    129942

    Source: the paper, section A.3: the network of figures 2 and 18.
    """

    num_classes: int
    channels: tuple[int, ...] = (32, 100)
    dtype: None = None

    def __post_init__(self) -> None:
        check_sizes(self, "num_classes")
        super().__post_init__()

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Logits `[n, num_classes]` of images `[n, height, width, channels]`."""
        outputs = images
        for number, channels in enumerate(self.channels):
            conv = Conv(channels, 5, padding=2, dtype=self.dtype, name=f"conv_{number}")
            # ReLU and maximum may change places, and fewer numbers are then rectified.
            outputs = nn.relu(max_pool(conv(outputs), 2))
        return _head(outputs, self.num_classes, self.dtype)


@register("ImageNetCNN")
class ImageNetCNN(nn.Module):
    """Five convolutions 5 x 5 of 64 channels, each with ReLU and max-pooling, then a linear layer.

    The first has stride 2; the others add their input to their output before the pooling.

    Args:
        num_classes: number of logits.
        channels: output channels of every convolution.
        dtype: of the computation, None for that of the parameters.

    Raises:
        OptexpError: an impossible size, or images of fewer than 64 pixels a side.

    Source: the paper's code, for images of 224 x 224 pixels.
    """

    num_classes: int
    channels: int = 64
    dtype: None = None

    def __post_init__(self) -> None:
        check_sizes(self, "num_classes", "channels")
        super().__post_init__()

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Logits `[n, num_classes]` of images `[n, height, width, channels]`."""
        conv = [
            Conv(self.channels, 5, 1 if k else 2, padding=2, dtype=self.dtype, name=f"conv_{k}")
            for k in range(5)
        ]
        outputs = max_pool(nn.relu(conv[0](images)), 2)
        for layer in conv[1:]:
            outputs = max_pool(nn.relu(layer(outputs)) + outputs, 2)
        return _head(outputs, self.num_classes, self.dtype)


def _head(images: jax.Array, num_classes: int, dtype: None) -> jax.Array:
    if 0 in images.shape[1:]:
        raise OptexpError(
            "The images are too small for the pooling layers of this model: use larger images.",
            code="images-too-small",
        )
    features = images.reshape(len(images), -1)
    return dense(num_classes, features.shape[-1], dtype=dtype, name="head")(features)
