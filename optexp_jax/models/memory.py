"""A linear associative memory between two sets of orthonormal vectors."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from optexp_jax.field_checks import check_flag, check_sizes
from optexp_jax.registry import register


@register("AssociativeMemory")
class AssociativeMemory(nn.Module):
    """Logits U W v_i of the item i: orthonormal v_i, orthonormal rows of U, and W from zero.

    Only W is trained. In the basis of the items the problem is the same whether vectors are rotated
    or not, and so is gradient descent; what treats coordinates one by one is not.

    Args:
        num_classes: number of items, and of logits.
        rotated: whether v and U are random orthogonal matrices, drawn from the seed of the run;
            False for one-hot vectors.

    Raises:
        OptexpError: num_classes is not an integer from 1, or rotated is no flag.

    >>> memory = AssociativeMemory(3)
    >>> logits, params = memory.init_with_output(jax.random.key(0), jnp.array([2, 0]))
    >>> logits.shape, sorted(params["params"])
    ((2, 3), ['inputs', 'kernel', 'outputs'])

    Source: after "Muon outperforms Adam in tail-end associative memory learning", 2025 (arXiv
    2509.26030), of which we know a summary.
    """

    num_classes: int
    rotated: bool = True
    dtype: None = None

    def __post_init__(self) -> None:
        check_sizes(self, "num_classes")
        check_flag("rotated of AssociativeMemory", self.rotated)
        super().__post_init__()

    @property
    def num_inputs(self) -> int:
        """As many as classes."""
        return self.num_classes

    def trainable(self, path: str) -> bool:
        """Whether a parameter is trained: the memory is, its vectors are not."""
        return path.split("/")[-1] == "kernel"

    @nn.compact
    def __call__(self, items: jax.Array) -> jax.Array:
        """Logits `[n, num_classes]` of items `[n]`."""
        square = (self.num_classes, self.num_classes)
        vectors = nn.initializers.orthogonal() if self.rotated else _identity
        inputs, outputs = (self.param(name, vectors, square) for name in ("inputs", "outputs"))
        kernel = self.param("kernel", nn.initializers.zeros, square)
        return inputs[items] @ kernel @ outputs


def _identity(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    del key
    return jnp.eye(*shape)
