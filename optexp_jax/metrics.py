"""Metrics to record beside loss and accuracy: `Experiment(..., metrics=(TopK(5), Perplexity()))`.

A metric is a frozen dataclass named with `@optexp_jax.register`. It has a value for each example,
whose mean is taken overall and by class (`losses.Metric`); or it is made of sums over the examples
(`SummedMetric`). Columns are called `tr_<name>` and `va_<name>`; of a metric whose name has
"Accuracy" in it, more is better.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_integer
from optexp_jax.losses import Accuracy, Loss, Metric, SquaredLoss, Weighted, cross_entropy
from optexp_jax.losses.named import metric
from optexp_jax.per_class import sum_by_class
from optexp_jax.registry import name_of, register
from optexp_jax.shapes import Array, Float, Integer, Shaped
from optexp_jax.targets import BY_CLASS, CLASSES, class_of, taken_by

__all__ = [
    "Accuracy",
    "CalibrationError",
    "Finished",
    "MacroAverage",
    "Metric",
    "Perplexity",
    "RankOfLabel",
    "SummedMetric",
    "TopK",
    "check_metrics",
    "finished",
    "metric",
    "rank_of_label",
]


@runtime_checkable
class Finished(Metric, Protocol):
    """A metric of each example whose mean is not yet what is recorded, such as a perplexity."""

    def finish(self, mean: np.ndarray) -> np.ndarray:
        """Compute the recorded value from means in float64 on the host, of any shape."""
        ...


@runtime_checkable
class SummedMetric(Protocol):
    """A metric of all examples together, made of sums that add up over batches; not by class."""

    @property
    def name(self) -> str:
        """Name in the recorded metrics."""
        ...

    def sums(self, logits: jax.Array, labels: jax.Array, num_classes: int) -> dict[str, jax.Array]:
        """Sums over the examples of a batch, of any shape; padding (label -1) adds nothing."""
        ...

    def value(self, sums: dict[str, np.ndarray]) -> np.ndarray:
        """The metric of each row, `[rows]`, from sums `[rows, ...]` in float64 on the host."""
        ...


def finished(metric: Metric, mean: np.ndarray) -> np.ndarray:
    """Return the recorded value of a mean over examples."""
    return metric.finish(mean) if isinstance(metric, Finished) else mean


def rank_of_label(
    logits: Float[Array, "*batch classes"],
    labels: Shaped[Array, "*batch"] | Shaped[Array, "*batch classes"],
) -> Integer[jax.Array, "*batch"]:
    """Place of the label among the classes by their logits, from 1; 0 where it is negative.

    Of equal logits the first class comes first, as for `is_correct`; with a NaN the label is last.

    Args:
        logits: `[..., num_classes]`.
        labels: integers, `[...]`; or distributions, whose class has the largest share.

    Returns:
        int32, `[...]`.

    >>> print(rank_of_label(jnp.array([[3.0, 1.0, 2.0], [0.0, 0.0, 0.0]]), jnp.array([1, 2])))
    [3 3]
    """
    labels = class_of(labels)
    chosen = jnp.take_along_axis(logits, jnp.maximum(labels, 0)[..., None], axis=-1)
    earlier = jnp.arange(logits.shape[-1]) < labels[..., None]
    beaten = jnp.where(earlier, logits < chosen, logits <= chosen)
    rank = 1 + jnp.sum(~beaten, axis=-1, dtype=jnp.int32)
    return jnp.where(labels >= 0, jnp.minimum(rank, logits.shape[-1]), 0)


@register("TopK")
@dataclasses.dataclass(frozen=True)
class TopK:
    """The fraction of examples whose label is among the k largest logits.

    Args:
        k: how many.

    >>> TopK(2).name, print(TopK(2).per_example(jnp.array([[3.0, 1.0, 2.0]]), jnp.array([2])))
    [1]
    ('Top2Accuracy', None)
    """

    k: int = 5

    takes = BY_CLASS

    def __post_init__(self) -> None:
        check_integer("k of TopK", self.k)

    @property
    def name(self) -> str:
        """Such as `Top5Accuracy`."""
        return f"Top{self.k}Accuracy"

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """1 where the label is among the k, else 0; int32."""
        rank = rank_of_label(logits, labels)
        return ((rank >= 1) & (rank <= self.k)).astype(jnp.int32)


@register("RankOfLabel")
@dataclasses.dataclass(frozen=True)
class RankOfLabel:
    """The mean place of the label among the classes by their logits, from 1.

    >>> print(RankOfLabel().per_example(jnp.array([[3.0, 1.0, 2.0]]), jnp.array([2])))
    [2.]
    """

    name = "RankOfLabel"
    takes = BY_CLASS

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """The place, in float32, which holds sums over millions of examples."""
        return rank_of_label(logits, labels).astype(jnp.float32)


@register("Perplexity")
@dataclasses.dataclass(frozen=True)
class Perplexity:
    """exp of the mean cross-entropy in nats; by class, of the mean over its examples.

    >>> print(Perplexity().finish(np.log([[10.0, 2.0]])))
    [[10.  2.]]
    """

    name = "Perplexity"
    takes = BY_CLASS
    of_probabilities = True

    def per_example(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """The cross-entropy."""
        return cross_entropy(logits, labels)

    def finish(self, mean: np.ndarray) -> np.ndarray:
        """exp; infinity beyond what a float holds."""
        with np.errstate(over="ignore"):
            return np.exp(mean)


@register("MacroAverage")
@dataclasses.dataclass(frozen=True)
class MacroAverage:
    """The mean over classes of the mean over the examples of each: all classes count alike.

    Args:
        metric: whose mean it is, such as `Accuracy()` or a loss.

    >>> logits, labels = jnp.eye(2)[jnp.array([0, 0, 0, 0])], jnp.array([0, 0, 0, 1])
    >>> sums = MacroAverage().sums(logits, labels, 2)
    >>> print(MacroAverage().value({k: np.asarray(v)[None] for k, v in sums.items()}))
    [0.5]
    """

    metric: Any = dataclasses.field(default_factory=Accuracy)

    takes = BY_CLASS

    def __post_init__(self) -> None:
        if not isinstance(self.metric, Metric) or isinstance(self.metric, type):
            raise OptexpError(
                "MacroAverage needs a metric with a value for each example, such as Accuracy(), "
                f"not {_told(self.metric)}.",
                code="metric-not-of-examples",
                metric=self.metric,
            )

    @property
    def name(self) -> str:
        """Such as `MacroAccuracy`."""
        return f"Macro{self.metric.name}"

    @property
    def of_probabilities(self) -> bool:
        """Whether its metric reads logits as those of probabilities."""
        return needs_probabilities(self.metric)

    def sums(self, logits: jax.Array, labels: jax.Array, num_classes: int) -> dict[str, jax.Array]:
        """Sum and number of examples of each class."""
        values = self.metric.per_example(logits, labels)
        total, count = sum_by_class(values, class_of(labels), num_classes)
        return {"total": total, "count": count}

    def value(self, sums: dict[str, np.ndarray]) -> np.ndarray:
        """The mean over the classes that have examples."""
        present = sums["count"] > 0
        means = finished(self.metric, sums["total"] / np.where(present, sums["count"], 1))
        return np.where(present, means, 0.0).sum(-1) / present.sum(-1)


@register("CalibrationError")
@dataclasses.dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error: Σ_b n_b / n · |accuracy of b - confidence of b|.

    Bin b holds the examples whose largest probability is in ((b - 1) / bins, b / bins].

    Args:
        bins: number of bins.

    >>> sums = CalibrationError(10).sums(jnp.zeros((4, 2)), jnp.array([0, 1, 1, 1]), 2)
    >>> print(CalibrationError(10).value({k: np.asarray(v)[None] for k, v in sums.items()}))
    [0.25]

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017.
    """

    bins: int = 15

    name = "CalibrationError"
    takes = BY_CLASS
    of_probabilities = True

    def __post_init__(self) -> None:
        check_integer("bins of CalibrationError", self.bins)

    def sums(self, logits: jax.Array, labels: jax.Array, num_classes: int) -> dict[str, jax.Array]:
        """Examples, confidences and correct predictions of each bin, `[bins]`."""
        del num_classes
        labels = class_of(labels)
        logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
        confidence = jnp.max(jax.nn.softmax(logits, axis=-1), axis=-1)
        number = jnp.ceil(confidence * self.bins).astype(jnp.int32) - 1
        bins = jnp.where(labels >= 0, jnp.clip(number, 0, self.bins - 1), -1)
        correct = Accuracy().per_example(logits, labels)
        trusted, count = sum_by_class(confidence, bins, self.bins)
        return {
            "confidence": trusted,
            "correct": sum_by_class(correct, bins, self.bins)[0],
            "count": count,
        }

    def value(self, sums: dict[str, np.ndarray]) -> np.ndarray:
        """The weighted mean of the gaps of the bins."""
        gaps = np.abs(sums["correct"] - sums["confidence"]).sum(-1)
        count = sums["count"].sum(-1)
        return np.divide(gaps, count, out=np.full(count.shape, np.nan), where=count > 0)


def needs_probabilities(metric: Metric | SummedMetric) -> bool:
    """Whether a metric reads logits as those of probabilities, by `of_probabilities`."""
    return bool(getattr(metric, "of_probabilities", False))


def check_metrics(
    metrics: Any, loss: Loss, targets: str = CLASSES
) -> tuple[Metric | SummedMetric, ...]:
    """Metrics of an experiment in the order of their names.

    Raises:
        OptexpError: no metrics, two of one name, or one that means nothing beside the loss.
    """
    given: tuple[Any, ...] = tuple(metrics) if isinstance(metrics, tuple | list) else (metrics,)
    names = [loss.name, "Accuracy"]
    for one in given:
        if not isinstance(metrics, tuple | list) or not _is_metric(one):
            raise OptexpError(
                f"metrics must be a tuple of metrics such as (TopK(5),), not {_told(one)}.",
                code="not-metrics",
                value=one,
            )
        if one.name in names:
            raise OptexpError(
                f"The metric {one.name} is given twice: remove {one!r} from metrics.",
                code="metric-twice",
                name=one.name,
            )
        if needs_probabilities(one) and _is_squared(loss):
            raise OptexpError(
                f"{one.name} needs probabilities, but a model trained with {loss.name} does not "
                "output any: remove it from metrics, or train with CrossEntropy().",
                code="metric-needs-probabilities",
                metric=one.name,
                loss=loss.name,
            )
        if targets not in taken_by(one):
            raise OptexpError(
                f"{one.name} is not defined for labels that are {targets}: remove it from metrics.",
                code="metric-of-other-labels",
                metric=one.name,
                targets=targets,
            )
        names.append(one.name)
    return tuple(sorted(given, key=lambda metric: metric.name))


def _is_metric(value: Any) -> bool:
    return isinstance(value, Metric | SummedMetric) and name_of(type(value)) is not None


def _is_squared(loss: Any) -> bool:
    return isinstance(loss.loss if isinstance(loss, Weighted) else loss, SquaredLoss)


def _told(value: Any) -> str:
    """A value in a few words."""
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"a {type(value).__name__}"
