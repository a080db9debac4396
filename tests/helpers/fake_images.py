"""Random images in the files of MNIST, each of which carries its own number."""

from pathlib import Path

import numpy as np

from optexp_jax.datasets.data import Split
from optexp_jax.datasets.images.idx import write_idx
from optexp_jax.datasets.images.idx_files import NAMES, ImageFiles

NUMBER = (slice(None), 14, slice(0, 2))  # two pixels hold the number of an image
CONSTANT = (slice(None), 27, 27)
SIZES = (60, 20)
FAKE = ImageFiles("Fake", "http://127.0.0.1:1", ("0" * 32,) * 4, "mnist", "Digits", sizes=SIZES)


def fake(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images `[n, 28, 28]` and labels, all ten classes; one pixel is always 0."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, 28, 28), np.uint8)
    images[NUMBER] = np.stack(np.divmod(np.arange(n), 256), axis=1)
    images[CONSTANT] = 0
    return images, rng.permutation(np.arange(n) % 10).astype(np.uint8)


def number_of(images: np.ndarray) -> np.ndarray:
    """The numbers that images `[n, 28, 28]` in 0 .. 255 carry."""
    return images[NUMBER].astype(np.int64) @ [256, 1]


def numbers_of(inputs):
    """Which image each one is made of; the brightness of a coloured one is its grey value."""
    return np.rint(inputs[NUMBER].max(axis=-1) * 255).astype(np.int64) @ [256, 1]


def write_four(folder: Path, sizes: tuple[int, int], suffix: str = "") -> list[np.ndarray]:
    """Write the four files, and return the arrays in them."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = [*fake(sizes[0], 1), *fake(sizes[1], 2)]
    for name, array in zip(NAMES, arrays, strict=True):
        write_idx(folder / f"{name}{suffix}", array)
    return arrays


def same(parts: tuple[Split, Split], arrays: list[np.ndarray]) -> bool:
    """Whether two parts are four arrays of bytes."""
    found = [np.asarray(a) for part in parts for a in (part.inputs, part.labels)]
    assert [a.dtype for a in found] == [np.uint8] * 4
    return all(np.array_equal(a, b) for a, b in zip(found, arrays, strict=True))


def with_system(folder: Path) -> ImageFiles:
    """A data set that a package of the system puts in a folder."""
    return ImageFiles("Fake", "", (), "mnist", "Digits", folder, SIZES)


def check_standardised(inputs, reference):
    """Inputs are those of the reference, a pair too, with the training moments of each pixel."""
    train = reference[0].astype(np.float64)
    mean, std = train.mean(axis=0), train.std(axis=0, ddof=1)
    constant = np.ptp(reference[0], axis=0) == 0
    mean[constant], std[constant] = 0, 1
    for found, plain_inputs in zip(inputs, reference, strict=True):
        np.testing.assert_allclose(found, (plain_inputs - mean) / std, rtol=1e-4, atol=1e-5)
    return constant
