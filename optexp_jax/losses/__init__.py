"""Losses as values. `build(class_counts)` gives a function (logits, labels) -> (sum, weight).

The sum is divided by the weight once, at the end, so micro-batches, padding (label -1) and devices
cannot bias the mean. Runs always *record* the unweighted `per_example` loss. Labels are integers of
any type.
"""

from optexp_jax.losses.base import Loss, LossSum, MeanLoss, Metric
from optexp_jax.losses.functions import cross_entropy, is_correct, squared_error
from optexp_jax.losses.means import (
    Accuracy,
    BinaryCrossEntropy,
    CrossEntropy,
    SquaredLoss,
    recorded_metrics,
)
from optexp_jax.losses.named import loss
from optexp_jax.losses.weighted import LogitAdjusted, Weighted

__all__ = [
    "Accuracy",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "LogitAdjusted",
    "Loss",
    "LossSum",
    "MeanLoss",
    "Metric",
    "SquaredLoss",
    "Weighted",
    "cross_entropy",
    "is_correct",
    "loss",
    "recorded_metrics",
    "squared_error",
]
