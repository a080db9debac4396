"""The linear model."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from optexp_jax.models.dense import classes_first
from optexp_jax.models.initializers import Initializer, TorchUniform
from optexp_jax.registry import register


@register("Linear")
class Linear(nn.Module):
    """Logits z = W x + b.

    Inputs are either vectors `[..., num_inputs]` or integers `[...]`. An integer i stands for the
    one-hot vector e_i: its row of the kernel is gathered, which costs num_classes and not
    num_inputs · num_classes.

    Args:
        num_inputs: length of an input vector.
        num_classes: number of logits.
        use_bias: whether b is there.
        init_values: initialiser of the kernel and the bias (PyTorch's default unless given).
        dtype: of the computation, None for that of the parameters.

    >>> model = Linear(num_inputs=3, num_classes=2, use_bias=False)
    >>> params = {"params": {"kernel": jnp.arange(6.0).reshape(3, 2)}}
    >>> print(model.apply(params, jnp.array([2, 0])))
    [[4. 5.]
     [0. 1.]]

    Source: the paper, the linear models of sections 2.2 and 3.
    """

    num_inputs: int
    num_classes: int
    use_bias: bool = True
    init_values: Initializer = TorchUniform()
    dtype: None = None

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        """Logits `[..., num_classes]`."""
        initialize = self.init_values.build(self.num_inputs)
        kernel = self.param("kernel", initialize, (self.num_inputs, self.num_classes))
        kernel = kernel.astype(self.dtype or kernel.dtype)
        if jnp.issubdtype(inputs.dtype, jnp.integer):
            logits = kernel[inputs.astype(jnp.int32)]
        else:
            logits = classes_first(inputs.astype(kernel.dtype), kernel)
        if self.use_bias:
            logits += self.param("bias", initialize, (self.num_classes,)).astype(kernel.dtype)
        return logits
