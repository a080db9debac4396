"""How fast images are decoded and cropped for training, by one thread and by all.

    python -m benchmarks.decoding --images 600

Makes a tree of JPEG files of the usual size of ImageNet (500 x 375, about 75 kB), and reads
batches of random crops of 224 x 224 from it, as a run does. Shows images per second, and how many
times as many all threads decode as one does.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table

from optexp_jax.datasets import ImageNet
from optexp_jax.datasets.data import Streamed
from optexp_jax.datasets.decoding import Wanted, decoded
from optexp_jax.datasets.imagenet.split import ImageSplit
from optexp_jax.host import cores

_BATCH = 64


def write_images(folder: Path, number: int) -> None:
    """Class folders with natural-looking noise: strong in low frequencies, some in all."""
    rng = np.random.default_rng(0)
    for i in track(range(number), "writing images"):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((500, 375), Image.Resampling.BICUBIC), np.float32)
        image = np.clip(smooth + rng.normal(0, 14, smooth.shape), 0, 255).astype(np.uint8)
        for part in ("train", "val") if i < 10 else ("train",):
            path = folder / part / f"class{i % 10}" / f"{i}.JPEG"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path, quality=88)


def images_per_second(split: Streamed, threads: int) -> float:
    """Speed of a pass over a split in batches, as training reads it."""
    wanted = [
        Wanted(np.arange(start, min(start + _BATCH, len(split))), (0, 0))
        for start in range(0, len(split), _BATCH)
    ]
    began = time.perf_counter()
    for _ in decoded(split, wanted, _BATCH, threads):
        pass
    return len(split) / (time.perf_counter() - began)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.decoding", description=__doc__)
    parser.add_argument("--images", type=int, default=600, help="number of images (600)")
    options = parser.parse_args(arguments)
    threads = cores()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "datasets" / "ImageNet"
        write_images(folder, options.images)
        size = np.mean([path.stat().st_size for path in folder.rglob("*.JPEG")]) / 1000
        split = ImageNet(num_classes=10).load(Path(name)).train
        assert isinstance(split, ImageSplit)
        images_per_second(split, threads)
        one = images_per_second(split, 1)
        every = images_per_second(split, threads)
    table = Table(title=f"{options.images} images of {size:.0f} kB")
    for column in ("threads", "images per second", "times one thread"):
        table.add_column(column, justify="right")
    table.add_row("1", f"{one:.0f}", "1.00")
    table.add_row(str(threads), f"{every:.0f}", f"{every / one:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
