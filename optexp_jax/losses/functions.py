"""Losses of examples, as functions of logits and labels."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from optexp_jax.per_class import class_indices
from optexp_jax.shapes import Array, Bool, Float, Shaped
from optexp_jax.targets import are_vectors_like, class_of, is_example, without_padding


def cross_entropy(
    logits: Float[Array, "*batch classes"],
    labels: Shaped[Array, "*batch"] | Shaped[Array, "*batch classes"],
) -> Float[jax.Array, "*batch"]:
    """Cross-entropy of each example in nats: log Σ_k exp(z_k) - z_y; 0 where the label is negative.

    Args:
        logits: `[..., num_classes]`.
        labels: integers, `[...]`; or distributions q, floats `[..., num_classes]`, of which it is
            -Σ_k q_k log p_k.

    Returns:
        `[...]`, in float32 or better.

    >>> print(cross_entropy(jnp.zeros((1, 2)), jnp.array([0])))
    [0.6931472]
    """
    if are_vectors_like(logits, labels):
        logs = jax.nn.log_softmax(logits.astype(jnp.promote_types(logits.dtype, jnp.float32)))
        # A share of 0 of a class of probability 0 is nothing.
        shares = without_padding(labels)
        return -jnp.sum(shares * jnp.where(shares > 0, logs, 0), axis=-1)
    labels = class_indices(labels)
    logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
    chosen = jnp.take_along_axis(logits, jnp.maximum(labels, 0)[..., None], axis=-1)[..., 0]
    return jnp.where(labels >= 0, jax.nn.logsumexp(logits, axis=-1) - chosen, 0.0)


def smoothed_cross_entropy(
    logits: Float[Array, "*batch classes"],
    labels: Shaped[Array, "*batch"] | Shaped[Array, "*batch classes"],
    share: float,
) -> Float[jax.Array, "*batch"]:
    """Cross-entropy to smoothed labels, (1 - s) q + s / K for K classes; 0 for padding.

    Args:
        logits: `[..., num_classes]`.
        labels: integers, `[...]`; or distributions q, floats `[..., num_classes]`.
        share: s, from 0 to 1.

    Returns:
        `[...]`, in float32 or better, in nats.

    >>> print(smoothed_cross_entropy(jnp.array([[0.0, jnp.log(3.0)]]), jnp.array([1]), 0.5))
    [0.56233513]
    """
    if not are_vectors_like(logits, labels):
        labels = class_indices(labels)
    high = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
    uniform = jax.nn.logsumexp(high, axis=-1) - jnp.mean(high, axis=-1)
    spread = jnp.where(is_example(labels), uniform, 0.0)
    return (1 - share) * cross_entropy(logits, labels) + share * spread


def squared_error(
    logits: Float[Array, "*batch classes"],
    labels: Shaped[Array, "*batch"] | Shaped[Array, "*batch classes"],
) -> Float[jax.Array, "*batch"]:
    """Squared error to the one-hot label: ½ ‖z - e_y‖²; 0 where the label is negative.

    Args:
        logits: `[..., num_classes]`.
        labels: integers, `[...]`; or vectors v, floats `[..., num_classes]`, for ½ ‖z - v‖².

    Returns:
        `[...]`, in float32 or better.

    >>> print(squared_error(jnp.zeros((1, 3)), jnp.array([0])))
    [0.5]
    """
    if are_vectors_like(logits, labels):
        logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
        errors = 0.5 * jnp.sum((logits - without_padding(labels)) ** 2, axis=-1)
        return jnp.where(is_example(labels), errors, 0.0)
    labels = class_indices(labels)
    logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
    is_label = jnp.arange(logits.shape[-1]) == labels[..., None]
    residual = jnp.where(is_label, logits - 1, logits)
    return jnp.where(labels >= 0, 0.5 * jnp.sum(residual**2, axis=-1), 0.0)


def is_correct(
    logits: Float[Array, "*batch classes"],
    labels: Shaped[Array, "*batch"] | Shaped[Array, "*batch classes"],
) -> Bool[jax.Array, "*batch"]:
    """Whether the label is the first of the largest logits (argmax), False for padding or NaN.

    Args:
        logits: `[..., num_classes]`.
        labels: integers, `[...]`; or distributions, whose class has the largest share.

    Returns:
        booleans, `[...]`.

    >>> print(is_correct(jnp.array([[0.0, 0.0], [0.0, 0.0]]), jnp.array([0, 1])))
    [ True False]
    """
    vectors = are_vectors_like(logits, labels)
    labels = class_of(labels) if vectors else class_indices(labels)
    # One comparison per logit and a plain reduction: many times faster than argmax on CPU.
    chosen = jnp.take_along_axis(logits, jnp.maximum(labels, 0)[..., None], axis=-1)
    earlier = jnp.arange(logits.shape[-1]) < labels[..., None]
    beaten = jnp.where(earlier, logits < chosen, logits <= chosen)
    return jnp.all(beaten, axis=-1) & (labels >= 0)
