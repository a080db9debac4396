"""Examples that are decoded by threads, ahead of the steps that use them."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple
from zlib import crc32

import numpy as np

from optexp_jax.datasets.data import PADDING, Streamed
from optexp_jax.host import cores

# Batches that are being decoded while one is used.
AHEAD = 2


class Wanted(NamedTuple):
    """The examples of a batch.

    Args:
        indices: which ones, in order.
        draw: seed and epoch of their augmentation; None for none.
    """

    indices: np.ndarray
    draw: tuple[int, int] | None = None


class _Begun(NamedTuple):
    inputs: np.ndarray
    labels: np.ndarray
    decoding: list[Future[None]]


def in_order(num_examples: int, size: int) -> Iterator[Wanted]:
    """All examples once, in order."""
    for start in range(0, num_examples, size):
        yield Wanted(np.arange(start, min(start + size, num_examples)))


Decoded = Generator[tuple[np.ndarray, np.ndarray], None, None]


def decoded(
    split: Streamed, wanted: Iterable[Wanted], size: int, threads: int | None = None
) -> Decoded:
    """Batches of a split, decoded on all cores of the process; close it to stop the threads.

    An example is a function of the seed, the epoch and its index, whichever thread decodes it and
    wherever a run was taken up again.

    Args:
        split: the examples.
        wanted: the batches, possibly without end.
        size: examples of a batch; what a batch lacks is padding.
        threads: that decode, None for as many as there are cores.

    Yields:
        inputs uint8 `[size, ...]` and labels int32 `[size]`.

    Raises:
        OptexpError: an example is damaged.
    """
    wanted, waiting = iter(wanted), collections.deque[_Begun]()
    # Decoders of images let other threads run, and need no copy of the process.
    pool = ThreadPoolExecutor(threads or cores(), "decoding")
    try:
        for batch in itertools.islice(wanted, AHEAD):
            waiting.append(_begin(pool, split, batch, size))
        while waiting:
            for batch in itertools.islice(wanted, 1):
                waiting.append(_begin(pool, split, batch, size))
            begun = waiting.popleft()
            for future in begun.decoding:
                future.result()
            yield begun.inputs, begun.labels
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(pool: ThreadPoolExecutor, split: Streamed, wanted: Wanted, size: int) -> _Begun:
    inputs = np.zeros((size, *split.example_shape), np.uint8)
    labels = np.full(size, PADDING, np.int32)
    labels[: len(wanted.indices)] = split.labels[wanted.indices]

    def decode(place: int, index: int) -> None:
        rng = None
        if wanted.draw is not None:
            rng = np.random.default_rng((*wanted.draw, index, crc32(b"augmentation")))
        inputs[place] = split.example(index, rng)

    places = enumerate(wanted.indices.tolist())
    return _Begun(inputs, labels, [pool.submit(decode, *where) for where in places])
