"""Optional members of a data set beyond `Dataset`, and their defaults.

Training, the command line and schedulers know no data set by name. A data set of anybody's needs
the members of `Dataset` only; it may have the optional members named here.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.datasets.data import Data, Dataset, Facts, InFiles, Split
from optexp_jax.errors import OptexpError
from optexp_jax.targets import CLASSES, targets_of


@runtime_checkable
class KnowsShapes(Protocol):
    """A data set whose parts have other shapes than `shapes_of` takes them to have."""

    def shapes(self) -> Data:
        """Its data as shapes; see `shapes_of`."""
        ...


class ShapeSplit(Split):
    """A split of `jax.ShapeDtypeStruct`, which has no length itself."""

    def __len__(self) -> int:
        return self.labels.shape[0]

    @classmethod
    def of(
        cls,
        inputs: tuple[int, ...],
        labels: tuple[int, ...],
        dtype: Any,
        label_dtype: Any = jnp.int32,
    ) -> ShapeSplit:
        """Inputs and labels of these shapes and types."""
        shaped: Any = jax.ShapeDtypeStruct
        return cls(shaped(inputs, dtype), shaped(labels, label_dtype))


def facts_of(dataset: Dataset) -> Facts:
    """Facts about a data set without loading it, from its `facts`; empty without them."""
    return getattr(dataset, "facts", Facts())


def shapes_of(dataset: Dataset) -> Data:
    """The data as shapes, without loading them: by `shapes`, or from `facts`.

    Where a data set does not say, an example is one float32 input of `input_shape` and one label;
    an `input_shape` of () means indices of one-hot vectors, int32.

    Returns:
        splits of `jax.ShapeDtypeStruct`. Classes are as if they were of one size.

    Raises:
        OptexpError: a data set whose size depends on its files, or that is not held in memory.
    """
    if isinstance(dataset, KnowsShapes):
        return dataset.shapes()
    facts = facts_of(dataset)
    if facts.train is None:
        raise unknown_shapes(dataset)
    shape, parts = tuple(dataset.input_shape), (facts.train, facts.validation or 0)
    dtype = jnp.float32 if shape else jnp.int32
    classes = targets_of(dataset) == CLASSES
    outputs, kind = ((), jnp.int32) if classes else ((dataset.num_classes,), jnp.float32)
    train, validation = (ShapeSplit.of((n, *shape), (n, *outputs), dtype, kind) for n in parts)
    return Data(train, counts_of_one_size(dataset), validation if len(validation) else None)


def unknown_shapes(dataset: Dataset) -> OptexpError:
    """That the shapes of a data set are in its files."""
    return OptexpError(
        f"The shapes of {type(dataset).__name__} are known only on a machine that has its files.",
        code="shapes-unknown",
        dataset=type(dataset).__name__,
    )


def counts_of_one_size(dataset: Dataset) -> np.ndarray:
    """Class counts in place of those that are not known."""
    return np.ones(dataset.num_classes, np.int64)


def seed_is_open(dataset: Dataset) -> bool:
    """Whether the data are drawn from the seed of the run: where a field `seed` is None."""
    return getattr(dataset, "seed", 0) is None


def origin_of(dataset: InFiles) -> str:
    """Name of the files that a data set is made from, by `origin`; its own where it has none."""
    return getattr(dataset, "origin", type(dataset).__name__)


def shape_promised_by(dataset: Dataset) -> tuple[int, ...] | None:
    """The shape of an input; None where a data set has no `input_shape`, which training can do."""
    promised = getattr(dataset, "input_shape", None)
    return None if promised is None else tuple(promised)


def end_of_indices(dataset: Dataset, inputs: Any) -> int | None:
    """Below what integer inputs are, so that models do not clip them; None where any will do.

    Tokens are below `vocabulary`, indices of one-hot vectors below `num_inputs`; integers of a data
    set that has neither are no indices, such as bytes of images.
    """
    one_hot = getattr(dataset, "num_inputs", None) if inputs.ndim == 1 else None
    return getattr(dataset, "vocabulary", one_hot)
