"""Errors of files and folders that say what templates cannot, as `said_errors` has them."""

from pathlib import Path

from optexp_jax import datasets
from optexp_jax.datasets import data_files, imagenet
from optexp_jax.datasets.frozen_features import FrozenFeatures
from optexp_jax.datasets.images.idx import read_idx
from optexp_jax.errors import unreadable
from optexp_jax.results import checked_files

FULL_DISK, DENIED = OSError(28, "No space left on device"), PermissionError(13, "Permission denied")


def raised(error: BaseException) -> None:
    raise error


def short_idx(workspace: Path) -> None:
    (workspace / "a").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 5, 1]))
    read_idx(workspace / "a")


# What errors say in full: by code, how to make it in a workspace, which `W` stands for.
OF_FILES = [
    (
        "data-not-here",
        lambda w: datasets.MNIST().load(w),
        "The data set MNIST is not here: no train-images-idx3-ubyte[.gz], "
        "train-labels-idx1-ubyte[.gz], t10k-images-idx3-ubyte[.gz], "
        "t10k-labels-idx1-ubyte[.gz] in W/datasets/MNIST, nor a copy of TensorFlow "
        "Datasets; place them there, or run `python -m optexp_jax.datasets prepare MNIST`"
        " where there is a network; offline, Digits, or FashionMNIST of Debian's "
        "dataset-fashion-mnist, can be used instead.",
    ),
    (
        "data-not-here",
        lambda w: datasets.BarcodedMNIST(seed=0).load(w),
        "The data set BarcodedMNIST is made from MNIST, which is not here: no "
        "train-images-idx3-ubyte[.gz], train-labels-idx1-ubyte[.gz], "
        "t10k-images-idx3-ubyte[.gz], t10k-labels-idx1-ubyte[.gz] in W/datasets/MNIST, "
        "nor a copy of TensorFlow Datasets; place them there, or run `python -m "
        "optexp_jax.datasets prepare MNIST` where there is a network; offline, Digits, or"
        " FashionMNIST of Debian's dataset-fashion-mnist, can be used instead.",
    ),
    (
        "data-file-damaged",
        lambda w: raised(data_files.damaged(w / "a" / "b", "it is gone")),
        "W/a/b is damaged (it is gone): delete the folder W/a and run again to renew it.",
    ),
    (
        "data-unwritable",
        lambda w: raised(data_files.unwritable(w / "a", DENIED)),
        "W/a cannot be written (Permission denied): allow this user to use it, or set "
        "OPTEXP_WORKSPACE to a folder in which you may write.",
    ),
    (
        "idx-wrong-size",
        short_idx,
        "W/a is cut short: expected 13 bytes, found 9; remove it and prepare the data set again.",
    ),
    (
        "file-unreadable",
        lambda w: read_idx(w / "none"),
        "W/none cannot be read: No such file or directory.",
    ),
    (
        "path-unreadable",
        lambda w: raised(unreadable(w / "a", DENIED)),
        "W/a cannot be read (Permission denied): allow this user to use it and rerun the command; "
        "the file may be intact.",
    ),
    (
        "file-damaged",
        lambda w: raised(checked_files.damaged(w / "a" / "b", "it is gone")),
        "The file W/a/b is damaged (it is gone): delete the folder W/a and rerun the "
        "command, or run the experiment again with --force.",
    ),
    (
        "workspace-unwritable",
        lambda w: raised(checked_files.unwritable(w, FULL_DISK)),
        "The workspace W cannot be written (No space left on device): free some space or set "
        "OPTEXP_WORKSPACE to another folder; recorded results are kept.",
    ),
    (
        "run-folder-gone",
        lambda w: raised(checked_files.gone(w / "a")),
        "The folder W/a was moved or deleted during its run: put it back and rerun the command to "
        "resume, or rerun it to start again.",
    ),
    (
        "data-not-here",
        lambda w: datasets.PTB().load(w),
        "The data set PTB is not here: no ptb.train.txt, ptb.valid.txt, ptb.test.txt in "
        "W/datasets/PTB; place them there, or run `python -m optexp_jax.datasets prepare "
        "PTB` where there is a network; offline, Shakespeare can be used instead.",
    ),
    (
        "data-not-here",
        lambda w: FrozenFeatures().load(w),
        "The data set FrozenFeatures is made from TinyPTB, which is not here: no "
        "ptb.train.txt, ptb.valid.txt, ptb.test.txt in W/datasets/PTB; place them there, "
        "or run `python -m optexp_jax.datasets prepare TinyPTB` where there is a network;"
        " offline, Shakespeare can be used instead.",
    ),
    (
        "data-not-here",
        lambda w: imagenet.HeavyTailedImageNet().load(w),
        "The data set HeavyTailedImageNet is not here: no train and val in "
        "W/datasets/ImageNet; register at image-net.org and place or link its images "
        "there, train/<class>/*.JPEG and val/<class>/*.JPEG, or let TFDS prepare it "
        "(`tfds build imagenet2012 --data_dir=W/datasets/tfds`); offline, FashionMNIST "
        "can be used instead.",
    ),
]
