"""Random numbers of data sets that are drawn: one stream for each use of a seed.

NumPy promises to keep the stream of raw bits of a generator, but not that of `permutation` or
`integers`; data that an identity stands for are made from the bits.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

import jax
import numpy as np

from optexp_jax.errors import OptexpError
from optexp_jax.numerics import key_of


def seed_of(dataset: Any) -> int:
    """The seed of a data set that is drawn.

    Raises:
        OptexpError: it is left to the run, and there is none.
    """
    if dataset.seed is None:
        raise OptexpError(
            f"{type(dataset).__name__}(seed=None) uses the seed of a run: give a seed to load it "
            "without a run.",
            code="seed-not-given",
            dataset=type(dataset).__name__,
        )
    return dataset.seed


def key_for(dataset: Any, use: str) -> jax.Array:
    """The key of one use of the seed of a data set."""
    return jax.random.fold_in(key_of(seed_of(dataset)), crc32(use.encode()))


def random_bits(n: int, seed: int, use: str) -> np.ndarray:
    """Random 64-bit numbers, the same for ever.

    Args:
        n: how many.
        seed: of the stream.
        use: what they are for, so that no use changes another.

    >>> random_bits(2, 0, "images")
    array([ 8617353961157255266, 17852378415650613900], dtype=uint64)
    """
    return np.random.Philox(np.random.SeedSequence((seed, crc32(use.encode())))).random_raw(n)


def random_order(n: int, seed: int, use: str) -> np.ndarray:
    """A random order of n things, the same for ever; arguments as above.

    >>> random_order(5, 0, "images")
    array([2, 4, 0, 3, 1])
    """
    return np.argsort(random_bits(n, seed, use), kind="stable")


def random_below(bounds: np.ndarray, seed: int, use: str) -> np.ndarray:
    """A random integer from 0 below each bound, the same for ever; arguments as above.

    >>> random_below(np.full(8, 3), 0, "draws")
    array([2, 2, 0, 0, 0, 1, 2, 2])
    """
    # 53 of the bits are a number in [0, 1): no bound of a data set is large enough to notice.
    uniform = (random_bits(bounds.size, seed, use) >> np.uint64(11)) * 2.0**-53
    return (uniform.reshape(bounds.shape) * bounds).astype(np.int64)
