"""Sum metrics over batches on the devices; the host divides by counts once, at the end."""

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

# Keys of the sums of the recorded metrics, in the order of `recorded_metrics`.
KEYS = ("loss", "correct")
MORE = "metrics"  # key of the sums of further metrics of an experiment


def batch_sums(
    loss: Loss,
    logits: jax.Array,
    labels: jax.Array,
    num_classes: int,
    per_class: bool,
    more: Sequence[Metric | SummedMetric] = (),
    targets: str = CLASSES,
) -> Sums:
    """Sum the unweighted loss and the correct predictions over a batch, without padding.

    Args:
        loss: the loss that is recorded.
        logits: `[..., num_classes]`.
        labels: integers `[...]`, -1 for padding; or vectors, floats `[..., num_classes]`, NaN for
            padding.
        num_classes: number of classes.
        per_class: whether to sum by class, too.
        more: further metrics.
        targets: kind of labels, see `optexp_jax.targets`.

    Returns:
        scalars `loss` (in nats for cross-entropy), `correct` and `count`; with `per_class` also
        `class_loss`, `class_correct` and `class_count`, each `[num_classes]`. Losses are floats,
        the others int32. Sums of further metrics are under `metrics` by name, and by class under
        `class_metric_<name>`.
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
    """Return the key of the sums by class of a further metric."""
    return f"class_metric_{metric.name}"


def objective_sums(loss_sum: LossSum, logits: jax.Array, labels: jax.Array) -> Sums:
    """Return the weighted sum of the optimised loss, and its sum of weights, both scalars."""
    objective, weight = loss_sum(logits, labels)
    return {"objective": objective, "weight": weight}


def zeros(shapes: Any) -> tuple[Any, Any]:
    """Return zero sums and zero rounding errors, for `add` to start from."""
    zero = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    return zero, zero


def add(total: tuple[Any, Any], new: Any) -> tuple[Any, Any]:
    """Add the sums of a batch with Kahan compensation, so that sums of many batches stay exact.

    Args:
        total: (sums, rounding errors) of the batches before.
        new: sums of the batch.

    Returns:
        the new (sums, rounding errors).
    """

    def total_of(s, e, x):
        return s + (x - e) if jnp.issubdtype(s.dtype, jnp.floating) else s + x

    def error_of(s, e, x):
        if not jnp.issubdtype(s.dtype, jnp.floating):
            return e
        y = x - e
        # Infinity minus infinity is not a rounding error.
        return jnp.where(jnp.isfinite(s + y), ((s + y) - s) - y, 0)

    sums, errors = total
    return jax.tree.map(total_of, sums, errors, new), jax.tree.map(error_of, sums, errors, new)
