"""Random and centred crops of images, by the definitions of torchvision."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

_BILINEAR = Image.Resampling.BILINEAR  # with antialiasing: Pillow widens its filter to shrink
_SCALE = (0.08, 1.0)
_RATIO = (3 / 4, 4 / 3)
_TRIES = 10


def crop_box(width: int, height: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """A random box: 8 to 100 % of the area, uniform; aspect 3/4 to 4/3, log-uniform; any place.

    A box that does not fit is drawn again; after ten tries it is the largest centred one of an
    allowed aspect.

    Args:
        width: of the image, in pixels.
        height: of the image, in pixels.
        rng: random numbers.

    Returns:
        left, upper, right and lower end, in pixels; right and lower excluded.

    >>> crop_box(1, 300, np.random.default_rng(0))
    (0, 149, 1, 150)

    Source: RandomResizedCrop of torchvision, as the paper's code uses it.
    """
    for _ in range(_TRIES):
        area = width * height * rng.uniform(*_SCALE)
        aspect = math.exp(rng.uniform(math.log(_RATIO[0]), math.log(_RATIO[1])))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            left = int(rng.integers(width - w + 1))
            upper = int(rng.integers(height - h + 1))
            return left, upper, left + w, upper + h
    w = min(width, round(height * _RATIO[1]))
    h = min(height, round(width / _RATIO[0]))
    left, upper = (width - w) // 2, (height - h) // 2
    return left, upper, left + w, upper + h


def random_crop(image: Image.Image, size: int, rng: np.random.Generator) -> np.ndarray:
    """A random box of an image at a fixed size, flipped half of the time: what training sees.

    Args:
        image: RGB.
        size: height and width of the result, in pixels.
        rng: random numbers.

    Returns:
        uint8 `[size, size, 3]`.

    >>> random_crop(Image.new("RGB", (50, 40)), 16, np.random.default_rng(0)).shape
    (16, 16, 3)

    Source: RandomResizedCrop and RandomHorizontalFlip of torchvision.
    """
    box = crop_box(*image.size, rng)
    # Not resize(box=...): that lets pixels outside the box into its border.
    crop = image.crop(box).resize((size, size), _BILINEAR)
    if rng.random() < 0.5:
        crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(crop)


def centre_crop(image: Image.Image, size: int) -> np.ndarray:
    """The centre of an image whose short side is resized to 256 / 224 of the crop.

    Args:
        image: RGB.
        size: height and width of the result, in pixels.

    Returns:
        uint8 `[size, size, 3]`.

    >>> centre_crop(Image.new("RGB", (500, 400)), 224).shape
    (224, 224, 3)

    Source: Resize(256) and CenterCrop(224) of torchvision.
    """
    short = round(size * 256 / 224)
    # The long side is cut off to whole pixels, not rounded.
    width, height = (int(short * side / min(image.size)) for side in image.size)
    left, upper = round((width - size) / 2), round((height - size) / 2)
    resized = image.resize((width, height), _BILINEAR)
    return np.asarray(resized.crop((left, upper, left + size, upper + size)))
