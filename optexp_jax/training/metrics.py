"""Metrics as sums and counts, which add up over batches and are divided once, on the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from optexp_jax.losses import Loss, LossSum, Metric, recorded_metrics
from optexp_jax.metrics import SummedMetric
from optexp_jax.per_class import sum_by_class
from optexp_jax.targets import CLASSES, class_of, is_example

Sums = dict[str, Any]  # arrays, and dicts of them

# Keys of the sums of the recorded metrics, in their order.
KEYS = ("loss", "correct")
MORE = "metrics"  # key of the sums of what an experiment records besides


def batch_sums(
    loss: Loss,
    logits: jax.Array,
    labels: jax.Array,
    num_classes: int,
    per_class: bool,
    more: Sequence[Metric | SummedMetric] = (),
    targets: str = CLASSES,
) -> Sums:
    """Sums of the unweighted loss and of correct predictions over a batch; padding adds nothing.

    Returns:
        scalars `loss`, `correct` and `count`, and with `per_class` the same by class,
        `[num_classes]`, under `class_loss`, `class_correct` and `class_count`. Losses are floats,
        the rest int32. Where there are more metrics, their sums by name under `metrics`, and those
        by class under `class_metric_<name>`.
    """
    metrics = zip(KEYS, recorded_metrics(loss, targets), strict=False)
    values = {key: metric.per_example(logits, labels) for key, metric in metrics}
    count = jnp.sum(is_example(labels), dtype=jnp.int32)
    sums = {key: jnp.sum(array, dtype=array.dtype) for key, array in values.items()}
    sums["count"] = count
    if per_class:
        classes = class_of(labels)
        for key, array in values.items():
            sums[f"class_{key}"], examples = sum_by_class(array, classes, num_classes)
            sums.setdefault("class_count", examples)
    return sums | _sums_of(more, logits, labels, num_classes, per_class)


def _sums_of(
    more: Sequence[Metric | SummedMetric],
    logits: jax.Array,
    labels: jax.Array,
    num_classes: int,
    per_class: bool,
) -> dict[str, Any]:
    sums: dict[str, Any] = {MORE: {}} if more else {}
    for metric in more:
        if isinstance(metric, SummedMetric):
            sums[MORE][metric.name] = metric.sums(logits, labels, num_classes)
            continue
        values = metric.per_example(logits, labels)
        sums[MORE][metric.name] = {"total": jnp.sum(values, dtype=values.dtype)}
        if per_class:
            sums[by_class_key(metric)] = sum_by_class(values, class_of(labels), num_classes)[0]
    return sums


def by_class_key(metric: Metric) -> str:
    """Key of the sums by class of one more metric."""
    return f"class_metric_{metric.name}"


def objective_sums(loss_sum: LossSum, logits: jax.Array, labels: jax.Array) -> Sums:
    """Sum and weight of what is optimised."""
    objective, weight = loss_sum(logits, labels)
    return {"objective": objective, "weight": weight}


def zeros(shapes: Any) -> tuple[Any, Any]:
    """Where `add` starts: sums of zero and no rounding errors yet."""
    zero = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    return zero, zero


def add(total: tuple[Any, Any], new: Any) -> tuple[Any, Any]:
    """Add the sums of one more batch, compensated (Kahan), so that millions of batches stay exact.

    Args:
        total: (sums, rounding errors) so far.
        new: sums of a batch.

    Returns:
        the new (sums, rounding errors).
    """

    def total_of(s, e, x):
        return s + (x - e) if jnp.issubdtype(s.dtype, jnp.floating) else s + x

    def error_of(s, e, x):
        if not jnp.issubdtype(s.dtype, jnp.floating):
            return e
        y = x - e
        # Infinity less infinity is no rounding error.
        return jnp.where(jnp.isfinite(s + y), ((s + y) - s) - y, 0)

    sums, errors = total
    return jax.tree.map(total_of, sums, errors, new), jax.tree.map(error_of, sums, errors, new)
