"""A problem as a value: what is learned, from what, by which loss, in which batches."""

from __future__ import annotations

import dataclasses
from typing import Any

from optexp_jax.batching import FullBatch, MiniBatch
from optexp_jax.datasets.base import seed_is_open
from optexp_jax.datasets.data import Dataset
from optexp_jax.errors import OptexpError
from optexp_jax.losses import Loss
from optexp_jax.registry import register
from optexp_jax.targets import taken_by, targets_of

__all__ = ["PRECISIONS", "FullBatch", "MiniBatch", "Problem"]

PRECISIONS = ("float32", "tf32", "bfloat16", "float64")
_FULL_BATCH = FullBatch()


@register("Problem")
@dataclasses.dataclass(frozen=True)
class Problem:
    """What to learn: a model, a data set, a loss and batches; immutable and hashable.

    The objective is mean loss + l2 / 2 · ‖w‖² over the trainable parameters w.

    Args:
        model: a Flax Linen module whose fields are plain values.
        dataset: a data set such as `MNIST()`.
        loss: a loss such as `CrossEntropy()`.
        batching: `FullBatch()` or `MiniBatch(size)`.
        l2: coefficient of the L2 penalty, at least 0.
        precision: `float32`; `tf32` for matrix products of a GPU only (10 bits of mantissa, many
            times faster); `bfloat16` for activations only; `float64` for everything.

    Raises:
        OptexpError: a value is not allowed, or model and data differ in the number of classes.

    >>> from optexp_jax.datasets import HeavyTailedOneHot
    >>> from optexp_jax.losses import SquaredLoss
    >>> from optexp_jax.models import Linear
    >>> Problem(Linear(111, 111), HeavyTailedOneHot(100), SquaredLoss()).batching
    FullBatch()
    """

    model: Any
    dataset: Dataset
    loss: Loss
    batching: FullBatch | MiniBatch = _FULL_BATCH
    l2: float = 0.0
    precision: str = "float32"

    def __post_init__(self) -> None:
        if isinstance(self.l2, bool) or not isinstance(self.l2, int | float):
            raise OptexpError(
                f"l2 must be a number, not {self.l2!r}.",
                code="not-a-number",
                field="l2",
                value=self.l2,
            )
        object.__setattr__(self, "l2", float(self.l2))
        if not 0.0 <= self.l2 < float("inf"):
            raise OptexpError(
                f"l2 must be finite and at least 0, not {self.l2}.",
                code="not-a-number",
                field="l2",
                value=self.l2,
                least=0,
            )
        if not isinstance(self.loss, Loss):
            raise OptexpError(
                f"The loss of a problem must be a value such as CrossEntropy(), not {self.loss!r}.",
                code="wrong-kind",
                field="loss",
                value=self.loss,
            )
        if self.precision not in PRECISIONS:
            raise OptexpError(
                f"There is no precision '{self.precision}': choose {', '.join(PRECISIONS)}.",
                code="not-a-choice",
                field="precision",
                value=self.precision,
                choices=PRECISIONS,
            )
        if not isinstance(self.batching, FullBatch | MiniBatch):
            raise OptexpError(
                f"batching must be FullBatch() or MiniBatch(size), not {self.batching!r}.",
                code="wrong-kind",
                field="batching",
                value=self.batching,
            )
        targets = targets_of(self.dataset)
        if targets not in taken_by(self.loss):
            takes = " or ".join(taken_by(self.loss))
            raise OptexpError(
                f"{type(self.loss).__name__} needs labels that are {takes}, but those of "
                f"{type(self.dataset).__name__} are {targets}: choose another loss.",
                code="loss-of-other-labels",
                loss=type(self.loss).__name__,
                dataset=type(self.dataset).__name__,
                targets=targets,
                takes=taken_by(self.loss),
            )
        self._check_sizes()

    def _check_sizes(self) -> None:
        for name in ("num_classes", "num_inputs"):
            of_model = getattr(self.model, name, None)
            of_data = getattr(self.dataset, name, None)
            if None not in (of_model, of_data) and of_model != of_data:
                raise OptexpError(
                    f"{type(self.model).__name__} has {name}={of_model}, but "
                    f"{type(self.dataset).__name__} has {of_data}: set {name}={of_data}.",
                    code="model-and-data-disagree",
                    model=type(self.model).__name__,
                    dataset=type(self.dataset).__name__,
                    field=name,
                    of_model=of_model,
                    of_data=of_data,
                )

    def with_data_seed(self, seed: int) -> Problem:
        """This problem with the data drawn from `seed`, where its data set leaves the seed open."""
        if seed_is_open(self.dataset):
            dataset: Any = self.dataset
            return dataclasses.replace(self, dataset=dataclasses.replace(dataset, seed=seed))
        return self
