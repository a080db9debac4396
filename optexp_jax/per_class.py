"""Sums by class, and groups of classes of similar frequency. Needs jax and numpy only."""

# pyright: strict, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownLambdaType=false
# pyright: reportMissingTypeStubs=false
from __future__ import annotations

import re
from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from optexp_jax import backend
from optexp_jax.frequency import at_least_one, frequency_groups, mean_by_group
from optexp_jax.shapes import Integer, Shaped

__all__ = ["class_indices", "frequency_groups", "mean_by_group", "sum_by_class"]

# Values of a piece, and how many at least for each class: pieces cost their number of classes.
_PIECE, _PER_CLASS = 1 << 10, 4
# Until jaxlib 0.11.0, threads of a GPU that add to one place wait for each other: hundreds of times
# as long as it takes to compare every label with every class. Later versions add faster.
_SLOW_TO_ADD = [int(n) for n in re.findall(r"\d+", version("jaxlib"))[:3]] <= [0, 11, 0]


def sum_by_class(
    values: ArrayLike, labels: ArrayLike, num_classes: int
) -> tuple[Shaped[jax.Array, " num_classes"], Integer[jax.Array, " num_classes"]]:
    """Sum of the values, and number of examples, of every class: (Σ_{i: y_i = k} v_i, n_k).

    Examples whose label is outside 0 .. num_classes - 1 are left out, so a label of -1 marks
    padding. A class with an infinite value or a NaN has the sum that IEEE 754 gives it, and the
    others do not notice.

    Args:
        values: one value per example, any shape. Those in bfloat16 and float16 are summed in
            float32, booleans (0 and 1) and integers of less than 32 bits in int32, all others in
            their own type. Sums of millions of values are exact to a few 1e-5.
        labels: class of each example, integers of any type, of the same shape.
        num_classes: number of classes, at least 1.

    Returns:
        sums and int32 counts, both `[num_classes]`.

    Raises:
        TypeError: the labels are not integers.
        ValueError: the shapes differ, there is no class, or values do not fit into 32 bits.

    >>> sums, counts = sum_by_class(jnp.array([0.5, 1.0, 2.0]), jnp.array([1, 1, -1]), 3)
    >>> print(sums, counts)
    [0.  1.5 0. ] [0 2 0]
    """
    values, labels = _summable(values), class_indices(labels)
    if values.shape != labels.shape:
        raise ValueError(
            f"There is one value per label: values are {values.shape}, labels {labels.shape}."
        )
    num_classes = at_least_one("num_classes", num_classes)
    segment = jnp.where((labels >= 0) & (labels < num_classes), labels, num_classes).ravel()
    ones = jnp.ones(segment.shape, jnp.int32)
    if backend.form() == "gpu" and _SLOW_TO_ADD:
        by_class = segment[:, None] == jnp.arange(num_classes)
        # Summed where they are compared: no array of examples times classes is stored.
        masked = (jnp.where(by_class, array[:, None], 0) for array in (values.ravel(), ones))
        sums, counts = (array.sum(0, dtype=array.dtype) for array in masked)
        return sums, counts
    sums = _segment_sum(values.ravel(), segment, num_classes + 1)
    counts = jax.ops.segment_sum(ones, segment, num_classes + 1)
    return sums[:num_classes], counts[:num_classes]


def class_indices(labels: ArrayLike) -> Integer[jax.Array, "*shape"]:
    """Labels as int32: one that int32 cannot hold becomes the nearest that it can.

    So no class appears or vanishes by a cast, not even where JAX keeps 32 bits of a NumPy int64.

    Args:
        labels: integers of any type, any shape.

    Returns:
        int32 of the same shape.

    Raises:
        TypeError: the labels are not integers.

    >>> print(class_indices(np.array([255, 2**32, -(2**40)])))
    [        255  2147483647 -2147483648]
    """
    raw = labels if isinstance(labels, jax.Array) else np.asarray(labels)
    if not jnp.issubdtype(raw.dtype, jnp.integer):
        raise TypeError(
            f"Labels are integers, not {raw.dtype}: convert them with labels.astype(np.int32)."
        )
    numeric = jnp if isinstance(raw, jax.Array) else np
    given, held = jnp.iinfo(raw.dtype), jnp.iinfo(jnp.int32)
    if given.max > held.max:
        raw = numeric.minimum(raw, held.max)
    if given.min < held.min:
        raw = numeric.maximum(raw, held.min)
    return jnp.asarray(raw.astype(jnp.int32))


def _summable(values: ArrayLike) -> jax.Array:
    """Values in a type that holds their sums."""
    raw = values if isinstance(values, jax.Array) else np.asarray(values)
    array = jnp.asarray(raw)
    if jnp.issubdtype(array.dtype, jnp.floating):
        return array.astype(jnp.float32) if jnp.finfo(array.dtype).bits < 32 else array
    if array.dtype == jnp.bool_:
        return array.astype(jnp.int32)
    if not jnp.issubdtype(array.dtype, jnp.integer):
        return array
    kept = jnp.iinfo(array.dtype)
    same = array.dtype == raw.dtype or raw.size == 0
    if not same and not (kept.min <= raw.min() and raw.max() <= kept.max):
        raise ValueError(
            f"The values need the 64 bits of {raw.dtype}, and JAX keeps 32 of them: convert them "
            "to floats, or set jax_enable_x64."
        )
    return array.astype(jnp.int32) if kept.bits < 32 else array


def _segment_sum(values: jax.Array, segment: jax.Array, number: int) -> jax.Array:
    """Sums of floats in pieces, with Kahan's compensation between them.

    Added one by one, a hundred thousand equal values of a class are off by a thousandth: all are
    rounded the same way once the sum is large.
    """
    size = max(_PIECE, _PER_CLASS * number)
    if values.size <= size or not jnp.issubdtype(values.dtype, jnp.floating):
        return jax.ops.segment_sum(values, segment, number)
    missing = -values.size % size
    pieces = (
        jnp.pad(values, (0, missing)).reshape(-1, size),
        jnp.pad(segment, (0, missing), constant_values=number - 1).reshape(-1, size),
    )

    def add(carry: tuple[jax.Array, jax.Array], piece: tuple[jax.Array, jax.Array]):
        total, error = carry
        new = jax.ops.segment_sum(*piece, number) - error
        grown = total + new
        # Infinity less infinity is no rounding error.
        return (grown, jnp.where(jnp.isfinite(grown), (grown - total) - new, 0)), None

    # Zeros made from both vary over the same axes of a shard_map as the sums of the pieces.
    zeros = jnp.zeros_like(values, shape=number) + jnp.zeros_like(segment, values.dtype, number)
    return jax.lax.scan(add, (zeros, zeros), pieces)[0][0]
