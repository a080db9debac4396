"""What is known of MNIST and Fashion-MNIST as they were published."""

from __future__ import annotations

from pathlib import Path

from optexp_jax.datasets.images.idx_files import ImageFiles

_DEBIAN = Path("/usr/share/datasets/fashion-mnist")

MNIST_FILES = ImageFiles(
    name="MNIST",
    url="https://ossci-datasets.s3.amazonaws.com/mnist",
    checksums=(
        "f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    tfds_name="mnist",
    label_counts=(
        (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
        (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    ),
    offline="Digits, or FashionMNIST of Debian's dataset-fashion-mnist, can be used instead",
)  # fmt: skip
FASHION_FILES = ImageFiles(
    name="FashionMNIST",
    url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    checksums=(
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    tfds_name="fashion_mnist",
    label_counts=((6000,) * 10, (1000,) * 10),
    digests=(
        "f209073e486d5113ebe2cc431d4df862", "3236f6424fc25388b2834cb19942cf7e",
        "b7656a891b218fc13e45205c48a92cae", "8dea97a4e78c1bd1b5a6e8efbb870b6e",
    ),
    offline="Debian's package dataset-fashion-mnist has it, or Digits can be used instead",
    system=_DEBIAN,
)  # fmt: skip
