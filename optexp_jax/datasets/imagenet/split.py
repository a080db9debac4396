"""Images that are decoded when they are needed."""

from __future__ import annotations

import dataclasses
import io
import os
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from optexp_jax.datasets.data import Report
from optexp_jax.datasets.imagenet.crops import centre_crop, random_crop
from optexp_jax.datasets.imagenet.tree import ImageSource, Part
from optexp_jax.errors import OptexpError, tell_from_damage
from optexp_jax.host import cores

Channels = tuple[float, float, float]

_SCALED_TO_16_BITS = ("PNG", "PPM")  # formats whose integers Pillow gives from 0 to 65535


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSplit:
    """A `Streamed` split of images in files; many threads may ask it for examples.

    Args:
        source: what reads the files.
        part: `train` or `val`, the part of the source.
        images: those of the split.
        size: height and width of an example, in pixels.
        augment: whether `example` with random numbers takes a random crop.
        mean: of the channels, pixels from 0 to 1.
        std: standard deviation of the channels.
    """

    source: ImageSource
    part: str
    images: Part
    size: int
    augment: bool
    mean: Channels
    std: Channels

    @property
    def labels(self) -> np.ndarray:
        """Classes, int32 `[n]`."""
        return self.images.labels

    @property
    def example_shape(self) -> tuple[int, ...]:
        """Height, width and channels."""
        return self.size, self.size, 3

    def __len__(self) -> int:
        return len(self.images)

    def example(self, index: int, rng: np.random.Generator | None) -> np.ndarray:
        """An image, uint8 `[size, size, 3]`: a random crop, or the centre where rng is None.

        Raises:
            OptexpError: the file is damaged or gone.
        """
        image = self.image(index)
        if self.augment and rng is not None:
            return random_crop(image, self.size, rng)
        return centre_crop(image, self.size)

    def image(self, index: int) -> Image.Image:
        """A whole image as `rgb` makes it.

        Pillow tells of files that end too early. Bytes that were changed inside a JPEG file are
        told by nobody: the format has no checksums.

        Raises:
            OptexpError: the file is damaged or gone, or nothing says which of its pixels are white.
        """
        if ImageFile.LOAD_TRUNCATED_IMAGES:
            raise OptexpError(
                "PIL.ImageFile.LOAD_TRUNCATED_IMAGES is on, so damaged images would silently "
                "become grey: turn it off.",
                code="truncated-images-allowed",
            )
        name, key = self.images.names[index], int(self.images.keys[index])
        where = self.source.folder / self.part / os.fsdecode(name)
        try:
            with Image.open(io.BytesIO(self.source.read(self.part, name, key))) as image:
                mode, converted = image.mode, rgb(image)
        except Exception as error:  # Pillow raises a dozen kinds
            tell_from_damage(where, error)
            why = "it is no image" if isinstance(error, UnidentifiedImageError) else error
            raise OptexpError(
                f"The image {where} cannot be read ({why}): restore it from a good copy.",
                code="image-unreadable",
                path=where,
                why=why,
            ) from error
        if converted is None:
            raise OptexpError(
                f"The image {where} has pixels of 32 bits (mode {mode}), so the value of white is "
                "unknown: save it with 8 bits for each channel.",
                code="image-without-white",
                path=where,
                mode=mode,
            )
        return converted

    def to_inputs(self, examples: jax.Array) -> jax.Array:
        """Pixels from 0 to 255 as float32, less the mean of their channel, by its deviation."""
        mean, std = jnp.array(self.mean, jnp.float32), jnp.array(self.std, jnp.float32)
        return (examples.astype(jnp.float32) / 255 - mean) / std


def rgb(image: Image.Image) -> Image.Image | None:
    """An image with 8 bits for red, green and blue; None where the value of white is unknown.

    Grey images of 16 bits become the nearest grey of 8: Pillow cuts off at 255, so that nearly all
    of them would be white. Transparency is dropped, and other modes are converted by Pillow.

    Args:
        image: as it was opened.

    >>> rgb(Image.fromarray(np.array([[0, 257, 65535]], np.uint16))).getpixel((1, 0))
    (1, 1, 1)
    """
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in _SCALED_TO_16_BITS):
        nearest = (np.asarray(image).astype(np.int64) + 128) // 257  # 65535 = 255 · 257
        return Image.fromarray(nearest.astype(np.uint8)).convert("RGB")
    return None if image.mode in ("I", "F") else image.convert("RGB")


def channel_statistics(split: ImageSplit, report: Report) -> tuple[Channels, Channels]:
    """Means over the images of the mean, and of the standard deviation, of each channel.

    The usual numbers of ImageNet, and those of the paper, are means of the standard deviations
    *within* images: .225, where all pixels together have one of .27.

    Args:
        split: whose centre crops are measured.
        report: told the images that are done.

    Returns:
        means and standard deviations, pixels from 0 to 1.
    """

    def of_image(index: int) -> np.ndarray:
        pixels = split.example(index, None).reshape(-1, 3) / 255
        return np.stack([pixels.mean(axis=0), pixels.std(axis=0)])

    total = np.zeros((2, 3))
    with ThreadPoolExecutor(cores()) as pool:  # decoding lets other threads run
        for done, both in enumerate(pool.map(of_image, range(len(split))), start=1):
            total += both  # in the order of the images, whatever thread is first
            report("measuring channels", done, len(split))
    mean, std = (total / len(split)).tolist()
    return (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])
