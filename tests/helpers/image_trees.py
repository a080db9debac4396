"""A small tree of real image files, in place of ImageNet."""

import numpy as np
from PIL import Image

from optexp_jax.datasets.imagenet import (
    HeavyTailedImageNet,
)

COUNTS = [9, 20, 12, 9, 5, 3]  # by frequency, these are the classes 1, 2, 0, 3, 4, 5
FEW = {"num_classes": len(COUNTS), "size": 16}
HEAVY = HeavyTailedImageNet(12, **FEW)
HEAVY_COUNTS = [4, 12, 6, 3, 3, 2]


def picture(rng, mode="RGB"):
    """Coarse noise of a random size: JPEG keeps it."""
    width, height = rng.integers(32, 81, 2)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return coarse.resize((int(width), int(height)), Image.Resampling.BICUBIC).convert(mode)


def write_tree(folder):
    """Class folders of images: a PNG, a grey and a CMYK JPEG are among those of class 0."""
    rng = np.random.default_rng(0)
    for part, counts in [("train", COUNTS), ("val", [2] * 5 + [0])]:
        for k, count in enumerate(counts):
            (folder / part / f"n{k}").mkdir(parents=True)
            for i in range(count):
                kinds = [("PNG", "RGB"), ("JPEG", "L"), ("jpg", "CMYK")] if k == 0 else []
                kind, mode = kinds[i] if i < len(kinds) else ("JPEG", "RGB")
                picture(rng, mode).save(folder / part / f"n{k}" / f"n{k}_{i}.{kind}", quality=90)
    for other in ["notes.txt", "._n3_0.JPEG", ".DS_Store"]:
        (folder / "train" / "n3" / other).write_text("no image")


def names(split):
    return [name.decode() for name in split.images.names]


def file_of(workspace):
    return next((workspace / "datasets" / "ImageNet-index" / "subsets").iterdir())
