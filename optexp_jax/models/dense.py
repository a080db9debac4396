"""The linear layer inside other models, its initialisers given as values."""

from __future__ import annotations

import flax.linen as nn

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
        name=name,
    )
