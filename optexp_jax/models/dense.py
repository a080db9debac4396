"""The linear layer inside other models, its initialisers given as values."""

from __future__ import annotations

import math
from typing import Any

import flax.linen as nn
import jax

from optexp_jax.backend import LEAST_KEPT_APART, computed_once, form
from optexp_jax.models.initializers import Initializer, TorchUniform, Zeros

_DEFAULT = TorchUniform()


def dense(
    features: int,
    fan_in: int,
    weights: Initializer = _DEFAULT,
    biases: Initializer | None = _DEFAULT,
    dtype: None = None,
    name: str | None = None,
) -> nn.Dense:
    """A layer x -> W x + b.

    Args:
        features: number of outputs.
        fan_in: number of inputs.
        weights: initialiser of W, PyTorch's default unless given.
        biases: initialiser of b, None for a layer without.
        dtype: of the computation, None for that of the parameters.
        name: of the layer.

    Returns:
        a Flax layer whose initialisers know the fan-in.
    """
    return nn.Dense(
        features,
        use_bias=biases is not None,
        kernel_init=weights.build(fan_in),
        bias_init=(biases or Zeros()).build(fan_in),
        dtype=dtype,
        dot_general=matrix_product,
        name=name,
    )


def matrix_product(
    inputs: jax.Array, kernel: jax.Array, dimensions: Any, *args: Any, **options: Any
) -> jax.Array:
    """Contract the last axes of the inputs with the first of a kernel, as `jax.lax.dot_general`.

    It is one product of two matrices, and so is its gradient: XLA for CPUs copies and transposes
    what has several axes to contract, and multiplies it at half the speed.
    """
    (last, first), _ = dimensions
    examples, features = inputs.shape[: last[0]], kernel.shape[len(first) :]
    size = math.prod(kernel.shape[: len(first)])
    flat = inputs.reshape(-1, size), kernel.reshape(size, -1)
    outputs = jax.lax.dot_general(*flat, (((1,), (0,)), ((), ())), *args, **options)
    return outputs.reshape(*examples, *features)


def classes_first(inputs: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return X W; for many examples on a CPU as (Wᵀ Xᵀ)ᵀ, whose gradient is (Gᵀ X)ᵀ.

    XLA for CPUs multiplies faster where the rows of a result are classes, and sums over classes are
    as fast along columns: a step of the softmax problems takes 0.6 to 0.9 of the time. With few
    examples, more classes than inputs, or a small kernel, turning them around is not worth it.

    Args:
        inputs: X, `[..., num_inputs]`.
        kernel: W, `[num_inputs, num_classes]`.

    Returns:
        `[..., num_classes]`.

    >>> logits = classes_first(jax.numpy.ones((99, 64)), jax.numpy.ones((64, 16)))
    >>> logits.shape, float(logits[0, 0])
    ((99, 16), 64.0)
    """
    num_inputs, num_classes = kernel.shape
    flat = inputs.reshape(-1, num_inputs)
    is_faster = 2 * len(flat) >= num_inputs >= num_classes and kernel.size >= LEAST_KEPT_APART
    if form() != "cpu" or not is_faster:
        return inputs @ kernel
    # Else XLA turns both products around again.
    turned = computed_once(kernel.T)
    by_class = jax.lax.dot_general(turned, flat, (((1,), (1,)), ((), ())))
    return computed_once(by_class.T).reshape(*inputs.shape[:-1], num_classes)
