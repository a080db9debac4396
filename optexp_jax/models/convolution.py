"""Convolutions and poolings in the form that is fast on the platform.

XLA's gradient of a convolution is slow on CPUs, and 12 to 17 times slower yet inside a scan, where
all training happens. There, a convolution is written as one matrix product with the shifted images
side by side. On GPUs it is XLA's convolution, which calls cuDNN.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Iterator

import flax.linen as nn
import jax
import jax.numpy as jnp

from optexp_jax import backend
from optexp_jax.models.initializers import Initializer, TorchUniform

_form: contextvars.ContextVar[str | None] = contextvars.ContextVar("form", default=None)
_LAYOUT = ("NHWC", "HWIO", "NHWC")


class Conv(nn.Module):
    """A two-dimensional convolution, padded by the same number of zeros on every side.

    Args:
        features: number of output channels.
        kernel_size: height and width of the kernel.
        stride: of both axes.
        padding: zeros added on every side.
        use_bias: whether there is a bias.
        init_values: initialiser of kernel and bias.
        fan_out: whether it is given the fan-out (kernel_size² · features) and not the fan-in.
        dtype: of the computation, None for that of the parameters.

    >>> conv = Conv(features=4, kernel_size=3, padding=1)
    >>> images = jnp.ones((2, 8, 8, 1))
    >>> jax.eval_shape(conv.init_with_output, jax.random.key(0), images)[0].shape
    (2, 8, 8, 4)
    """

    features: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    use_bias: bool = True
    init_values: Initializer = TorchUniform()
    fan_out: bool = False
    dtype: None = None

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Outputs `[n, height, width, features]` of images `[n, height, width, channels]`."""
        area, channels = self.kernel_size**2, images.shape[-1]
        initialize = self.init_values.build(area * (self.features if self.fan_out else channels))
        shape = (self.kernel_size, self.kernel_size, channels, self.features)
        kernel = self.param("kernel", initialize, shape)
        dtype = self.dtype or kernel.dtype
        outputs = convolve(images.astype(dtype), kernel.astype(dtype), self.stride, self.padding)
        if self.use_bias:
            outputs += self.param("bias", initialize, (self.features,)).astype(dtype)
        return outputs


def convolve(images: jax.Array, kernel: jax.Array, stride: int = 1, padding: int = 0) -> jax.Array:
    """y_{n,i,j,f} = Σ_{a,b,c} x_{n, si+a-p, sj+b-p, c} w_{a,b,c,f}, with zeros outside of x.

    Args:
        images: x, `[n, height, width, channels]`.
        kernel: w, `[k, k, channels, features]`.
        stride: s, of both axes.
        padding: p, zeros on every side.

    Returns:
        y, `[n, rows, columns, features]` with (height + 2p - k) // s + 1 rows.
    """
    if _fast_form() == "convolution":
        sides = ((padding, padding), (padding, padding))
        return jax.lax.conv_general_dilated(
            images, kernel, (stride, stride), sides, dimension_numbers=_LAYOUT
        )
    if 1 < stride < len(kernel) // 2:
        images, kernel = _by_blocks(images, kernel, stride, padding)
        stride, padding = 1, 0
    windows = _windows(images, len(kernel), stride, padding)
    # Matrices, not stacks of them: XLA's product of four axes is a fifth slower.
    outputs = windows.reshape(-1, windows.shape[-1]) @ kernel.reshape(-1, kernel.shape[-1])
    return outputs.reshape(*windows.shape[:3], -1)


def _by_blocks(
    images: jax.Array, kernel: jax.Array, stride: int, padding: int
) -> tuple[jax.Array, jax.Array]:
    """Join blocks of stride x stride pixels into one pixel, so that the stride is 1.

    A kernel of 7 x 7 pixels with stride 2 then has 16 places, not 49: fewer and longer pieces to
    copy, and a program that compiles in less time.
    """
    size, reach = len(kernel), -(-len(kernel) // stride)
    n, height, width, channels = images.shape
    rows, columns = ((side + 2 * padding - size) // stride + reach for side in (height, width))
    ends = [stride * rows - height - padding, stride * columns - width - padding]
    sides = [(0, 0, 0), *((padding, end, 0) for end in ends), (0, 0, 0)]
    images = jax.lax.pad(images, jnp.zeros((), images.dtype), sides)
    images = images.reshape(n, rows, stride, columns, stride, channels).swapaxes(2, 3)
    missing = (0, stride * reach - size)
    kernel = jnp.pad(kernel, (missing, missing, (0, 0), (0, 0)))
    kernel = kernel.reshape(reach, stride, reach, stride, channels, -1).swapaxes(1, 2)
    joined = stride**2 * channels
    return images.reshape(n, rows, columns, joined), kernel.reshape(reach, reach, joined, -1)


def _windows(images: jax.Array, size: int, stride: int, padding: int) -> jax.Array:
    """Return the pixels of each window side by side, row by row.

    Args:
        images: `[n, height, width, channels]`.
        size: height and width of a window.
        stride: of both axes.
        padding: pixels of zeros on every side.

    Returns:
        `[n, rows, columns, size² · channels]`.
    """
    of_rows = _joined_along(2, images, size, stride, padding)
    # 2 · size copies of long pieces, not size² of short ones.
    return _joined_along(1, backend.computed_once(of_rows), size, stride, padding)


def _joined_along(axis: int, images: jax.Array, size: int, stride: int, padding: int) -> jax.Array:
    """Join the channels of `size` pixels in a row along an axis, at every place of the window."""
    sides = [(0, 0, 0)] * 4
    sides[axis] = (padding, padding, 0)
    padded = jax.lax.pad(images, jnp.zeros((), images.dtype), sides)
    return jnp.concatenate(_shifted(padded, axis, size, stride), axis=-1)


def _shifted(images: jax.Array, axis: int, size: int, stride: int) -> list[jax.Array]:
    """Return the `size` images of the pixels that a window sees along an axis, at its places."""
    reach = (images.shape[axis] - size) // stride * stride + 1
    return [
        jax.lax.slice_in_dim(images, first, first + reach, stride, axis) for first in range(size)
    ]


def max_pool(
    images: jax.Array, size: int, stride: int | None = None, padding: int = 0
) -> jax.Array:
    """Largest value in each window; what does not fill a window at the end is left out.

    Args:
        images: `[n, height, width, channels]`.
        size: height and width of the window.
        stride: of both axes, None for the size.
        padding: pixels on every side that are never the largest.

    Returns:
        `[n, rows, columns, channels]`.

    >>> max_pool(jnp.arange(16.0).reshape(1, 4, 4, 1), size=2).reshape(2, 2).tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    """
    stride = stride or size
    if stride == size and not padding:
        n, height, width, channels = images.shape
        rows, columns = height // size, width // size
        inside = images[:, : rows * size, : columns * size]
        return inside.reshape(n, rows, size, columns, size, channels).max(axis=(2, 4))
    sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    outputs = jnp.pad(images, sides, constant_values=-jnp.inf)
    for axis in (1, 2):  # one after the other, since the gradient of the square of pixels is slow
        outputs = functools.reduce(jnp.maximum, _shifted(outputs, axis, size, stride))
    return outputs


@contextlib.contextmanager
def form(name: str) -> Iterator[None]:
    """Use one form in the block, `slices` or `convolution`, on every platform."""
    token = _form.set(name)
    try:
        yield
    finally:
        _form.reset(token)


def _fast_form() -> str:
    return _form.get() or ("slices" if backend.form() == "cpu" else "convolution")
