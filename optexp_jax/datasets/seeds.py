"""Random numbers of data sets that are drawn: one stream for each use of a seed."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import jax
import numpy as np

from optexp_jax.errors import OptexpError


def seed_of(dataset: Any) -> int:
    """The seed of a data set that is drawn.

    Raises:
        OptexpError: it is left to the run, and there is none.
    """
    if dataset.seed is None:
        raise OptexpError(
            f"{type(dataset).__name__}(seed=None) takes the seed of a run: give it a seed to load "
            "it by itself."
        )
    return dataset.seed


def key_for(dataset: Any, use: str) -> jax.Array:
    """The key of one use of the seed of a data set."""
    return jax.random.fold_in(jax.random.key(seed_of(dataset)), crc32(use.encode()))


def rng_for(dataset: Any, use: str) -> np.random.Generator:
    """NumPy's random numbers for one use of the seed, so that no use changes those of another."""
    return np.random.default_rng((seed_of(dataset), crc32(use.encode())))
