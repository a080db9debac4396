"""Digits in memory that are streamed as if they were read from files."""

import dataclasses
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from optexp_jax.datasets import Data, Split
from optexp_jax.datasets.images import Digits
from optexp_jax.errors import OptexpError


@dataclasses.dataclass(frozen=True)
class FromMemory:
    """A streamed split of images that are in memory; its augmentation adds up to 9 to each byte."""

    images: np.ndarray
    labels: np.ndarray
    noisy: bool = False
    broken: int | None = None

    @property
    def example_shape(self):
        return self.images.shape[1:]

    def __len__(self):
        return len(self.labels)

    def example(self, index, rng):
        if index == self.broken:
            raise OptexpError(f"Image {index} is broken.", code="image-broken", index=index)
        noise = rng.integers(0, 10, self.example_shape) if self.noisy and rng is not None else 0
        return np.minimum(self.images[index].astype(int) + noise, 255).astype(np.uint8)

    def to_inputs(self, examples):
        return examples.astype(jnp.float32) / 255

    def resident(self):
        return Split(self.to_inputs(jnp.asarray(self.images)), self.labels)


def digits(n_train=50, n_validation=23, **fields):
    """Some digits, streamed; every third of class 0, so that classes differ in frequency."""
    parts = []
    for part, n in zip(Digits().raw(Path()), (n_train, n_validation), strict=True):
        labels = np.asarray(part.labels[:n], np.int32)
        labels[::3] = 0
        parts.append(FromMemory(np.asarray(part.inputs[:n]).reshape(n, 64), labels, **fields))
    counts = np.bincount(parts[0].labels, minlength=10)
    return Data(parts[0], counts, parts[1])
