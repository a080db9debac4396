"""Facts about the published files of MNIST and Fashion-MNIST."""

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
    digests=(
        "6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea", "27ae3e4e09519cfbb04c329615203637",
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
    digests=(
        "f4a8712d7a061bf5bd6d2ca38dc4d50a", "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a", "15d484375f8d13e6eb1aabb0c3f46965",
    ),
    offline="Debian's package dataset-fashion-mnist has it, or Digits can be used instead",
    system=_DEBIAN,
)  # fmt: skip
