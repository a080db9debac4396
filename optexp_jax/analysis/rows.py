"""Gradient and Hessian of the mean loss by rows of a softmax output layer, in micro-batches.

The logits are z = W h + b with one row w_k of W for each class, and p = softmax(z). As z is linear
in W, the Hessian of the loss in W is its generalised Gauss-Newton matrix: what is said of one holds
of both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.errors import OptexpError
from optexp_jax.per_class import class_indices, sum_by_class
from optexp_jax.shapes import Array, Float, Integer, Shaped

# (features [..., d], labels [...]): examples, or tokens of sequences. Labels are integers of any
# type, and one outside the classes, such as -1, marks padding.
MicroBatch = tuple[Shaped[Array, "... d"], Integer[Array, "..."]]


class OutputLayer(NamedTuple):
    """A softmax output layer.

    Args:
        kernel: the transpose of W, `[d, num_classes]`, as Flax keeps it.
        bias: `[num_classes]`, None for none.
    """

    kernel: Float[Array, "d classes"]
    bias: Float[Array, " classes"] | None = None

    def probabilities(
        self, features: Float[Array, "n {len(self.kernel)}"]
    ) -> Float[jax.Array, "n {self.kernel.shape[1]}"]:
        """Predicted probabilities `[n, num_classes]` for features `[n, d]`."""
        logits = jnp.matmul(features, self.kernel, precision="highest")
        return jax.nn.softmax(logits if self.bias is None else logits + self.bias)

    def flipped(self) -> OutputLayer:
        """The layer at -W and -b, where figure 32 of the paper looks."""
        return OutputLayer(-self.kernel, None if self.bias is None else -self.bias)


class RowStatistics(NamedTuple):
    """Statistics of each class, arrays `[num_classes]`.

    Args:
        gradient_norm: ‖∂L/∂w_k‖₂.
        hessian_trace: Tr ∂²L/∂w_k², exact.
        bias_gradient: ∂L/∂b_k.
        bias_hessian: ∂²L/∂b_k².
        correct_probability: mean predicted probability of the right class over the examples of the
            class, NaN where it has none.
        examples: of the class.
    """

    gradient_norm: Float[np.ndarray, " classes"]
    hessian_trace: Float[np.ndarray, " classes"]
    bias_gradient: Float[np.ndarray, " classes"]
    bias_hessian: Float[np.ndarray, " classes"]
    correct_probability: Float[np.ndarray, " classes"]
    examples: Integer[np.ndarray, " classes"]


def row_statistics(layer: OutputLayer, batches: Iterable[MicroBatch]) -> RowStatistics:
    """Gradient norms and exact Hessian traces of the mean cross-entropy, by row of the layer.

        ∂L/∂w_k = mean (p_k - 1[y = k]) h,    ∂²L/∂w_k² = mean p_k (1 - p_k) h hᵀ

    Nothing larger than the layer and the logits of a micro-batch is ever formed.

    Args:
        layer: the output layer.
        batches: all examples in micro-batches of features and labels.

    Returns:
        `RowStatistics`, of the mean over all examples.

    Raises:
        OptexpError: no examples.

    >>> layer = OutputLayer(jnp.zeros((1, 2)))
    >>> rows = row_statistics(layer, [(jnp.array([[2.0], [2.0]]), jnp.array([0, 0]))])
    >>> print(rows.gradient_norm, rows.hessian_trace, rows.correct_probability)
    [1. 1.] [1. 1.] [0.5 nan]

    Source: the paper, equation 4 and figures 7, 26 and 27.
    """
    gradient, sums = None, None
    for features, labels in batches:
        added, new = _sums(layer, features, class_indices(labels))
        gradient = added if gradient is None else gradient + added
        # In 64 bits on the host, where the sums of all micro-batches meet.
        wide = [np.asarray(s, np.float64) for s in new]
        sums = wide if sums is None else [a + b for a, b in zip(sums, wide, strict=True)]
    if gradient is None or sums is None or not sums[-1].any():
        raise OptexpError(
            "There are no examples: give at least one label that is not padding.",
            code="no-examples",
        )
    trace, bias_gradient, bias_hessian, probability, examples = sums
    n = examples.sum()
    with np.errstate(invalid="ignore"):
        correct = probability / examples
    return RowStatistics(
        np.asarray(jnp.linalg.norm(gradient, axis=0), np.float64) / n,
        trace / n,
        bias_gradient / n,
        bias_hessian / n,
        correct,
        examples.astype(np.int64),
    )


@jax.jit
def _sums(
    layer: OutputLayer, features: jax.Array, labels: jax.Array
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    """The sum of the gradient of a micro-batch `[d, c]`, and of what is kept of each class."""
    features, labels = flat(features, labels, layer)
    p = masked(layer.probabilities(features), labels)
    classes = p.shape[-1]
    error = p - jax.nn.one_hot(labels, classes, dtype=p.dtype)  # padding is in no class
    curvature = p * (1 - p)
    squares = jnp.sum(features**2, axis=-1)
    correct = jnp.take_along_axis(p, jnp.maximum(labels, 0)[:, None], axis=-1)[:, 0]
    probability, examples = sum_by_class(correct, labels, classes)
    return jnp.matmul(features.T, error, precision="highest"), (
        jnp.matmul(squares, curvature, precision="highest"),
        error.sum(axis=0),
        curvature.sum(axis=0),
        probability,
        examples,
    )


def flat(features: jax.Array, labels: jax.Array, layer: OutputLayer) -> tuple[jax.Array, jax.Array]:
    """Examples on one axis: features `[n, d]` as floats, labels `[n]`."""
    if not jnp.issubdtype(features.dtype, jnp.floating):
        features = features.astype(layer.kernel.dtype)
    return features.reshape(-1, features.shape[-1]), labels.ravel()


def masked(probabilities: jax.Array, labels: jax.Array) -> jax.Array:
    """Probabilities `[n, c]`, zero where the label says that there is no example."""
    return jnp.where(is_example(labels, probabilities.shape[-1])[:, None], probabilities, 0)


def is_example(labels: jax.Array, num_classes: int) -> jax.Array:
    """Whether labels are of a class."""
    return (labels >= 0) & (labels < num_classes)
