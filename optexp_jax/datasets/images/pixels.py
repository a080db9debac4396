"""From bytes to the inputs of a model: float32 arithmetic, statistics exact in float64."""

from __future__ import annotations

import numpy as np

from optexp_jax.errors import OptexpError

PIXELS = ("raw", "unit", "standardised")


def check_pixels(name: str, pixels: str) -> None:
    """Refuse pixels that no data set has.

    Raises:
        OptexpError: another value than `raw`, `unit` or `standardised`.
    """
    if pixels not in PIXELS:
        raise OptexpError(
            f"The pixels of {name} must be {', '.join(PIXELS)}, not {pixels!r}.",
            code="not-a-choice",
            field="pixels",
            kind=name,
            value=pixels,
            choices=tuple(PIXELS),
        )


def moments(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each pixel, 0 and 1 for a pixel that never changes.

    The variance has n - 1 in its denominator, as in the code of the paper. With 0 and 1 in place of
    theirs, constant pixels stay as they are when `scaled` uses the moments.

    Args:
        images: bytes or float32, `[n, ...]`, at least two.

    Returns:
        float32 arrays of the shape of one image.

    >>> moments(np.array([[0, 7], [4, 7], [2, 7]], np.uint8))
    (array([2., 0.], dtype=float32), array([2., 1.], dtype=float32))
    """
    n = len(images)
    flat = images.reshape(n, -1)
    # einsum casts in small buffers: there is no copy of the images in float64.
    sums = np.einsum("np->p", flat, dtype=np.float64)
    squares = np.einsum("np,np->p", flat, flat, dtype=np.float64)
    constant = flat.min(axis=0) == flat.max(axis=0)
    mean = np.where(constant, 0.0, sums / n)
    variance = np.where(constant, 1.0, (squares - sums * sums / n) / (n - 1))
    shape = images.shape[1:]
    return (
        mean.astype(np.float32).reshape(shape),
        np.sqrt(variance).astype(np.float32).reshape(shape),
    )


def scaled(
    images: np.ndarray,
    shift: np.ndarray | float,
    scale: np.ndarray | float,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """(images - shift) / scale.

    Args:
        images: bytes or float32, `[n, ...]`.
        shift: one value, or one for each pixel, in the units of the images.
        scale: likewise.
        out: where the result goes, such as the images themselves; None for new memory.

    Returns:
        float32, the shape of the images.

    >>> scaled(np.array([[0, 255]], np.uint8), 51, 102)
    array([[-0.5,  2. ]], dtype=float32)
    """
    result = np.subtract(images, np.asarray(shift, np.float32), out=out, dtype=np.float32)
    result /= np.asarray(scale, np.float32)
    return result


def inputs_of(
    train: np.ndarray, validation: np.ndarray, pixels: str, mean: float, std: float
) -> tuple[np.ndarray, np.ndarray]:
    """Both parts of a data set of grey images as the inputs of a model.

    Args:
        train: bytes, `[n, height, width]`.
        validation: likewise.
        pixels: `raw` for (x - mean) / std with x in 0 .. 255, `unit` for the same with x in 0 .. 1,
            `standardised` for the mean and standard deviation of each pixel over the training part.
        mean: of all pixels in 0 .. 1.
        std: of all pixels in 0 .. 1.

    Returns:
        float32 arrays of the same shapes.
    """
    shift, scale = {"raw": (mean, std), "unit": (255 * mean, 255 * std)}.get(pixels) or moments(
        train
    )
    return scaled(train, shift, scale), scaled(validation, shift, scale)
