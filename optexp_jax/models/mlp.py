"""The multi-layer perceptron."""

from __future__ import annotations

import flax.linen as nn
import jax

from optexp_jax.field_checks import check_choice, check_sizes
from optexp_jax.models.dense import dense
from optexp_jax.models.initializers import Initializer, TorchUniform
from optexp_jax.registry import register

ACTIVATIONS = {"relu": nn.relu, "gelu": nn.gelu, "tanh": nn.tanh, "identity": lambda x: x}


@register("MLP")
class MLP(nn.Module):
    """Linear layers with activations between them.

    Args:
        num_classes: number of logits.
        hidden: outputs of each hidden layer; `()` for a linear model.
        activation: `relu`, `gelu` (its approximation by tanh), `tanh` or `identity`.
        init_values: initialiser of all weights and biases (PyTorch's default unless given).
        dtype: of the computation, None for that of the parameters.

    Raises:
        OptexpError: an unknown activation or an impossible size.

    >>> import jax.numpy as jnp
    >>> model = MLP(num_classes=3, hidden=(8, 8))
    >>> model.apply(model.init(jax.random.key(0), jnp.ones((5, 2))), jnp.ones((5, 2))).shape
    (5, 3)

    Source: the paper's code.
    """

    num_classes: int
    hidden: tuple[int, ...]
    activation: str = "relu"
    init_values: Initializer = TorchUniform()
    dtype: None = None

    def __post_init__(self) -> None:
        check_sizes(self, "num_classes")
        check_choice(self, "activation", tuple(ACTIVATIONS))
        super().__post_init__()

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        """Logits `[n, num_classes]` of inputs `[n, ...]`, which are flattened."""
        outputs = inputs.reshape(len(inputs), -1)
        values = (self.init_values, self.init_values)
        for number, size in enumerate((*self.hidden, self.num_classes)):
            if number:
                outputs = ACTIVATIONS[self.activation](outputs)
            layer = dense(size, outputs.shape[-1], *values, self.dtype, f"layer_{number}")
            outputs = layer(outputs)
        return outputs
