"""Where the images of a data set are, and the list of them, made once and kept in the workspace."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from optexp_jax.datasets import tfds_reader
from optexp_jax.datasets.data import Report
from optexp_jax.datasets.data_files import atomic_data_write, folder_of
from optexp_jax.datasets.imagenet.tfds_images import ImageRecords
from optexp_jax.datasets.imagenet.tree import PARTS, ImageSource, ImageTree, Listing, Part

_FIELDS = ("names", "labels", "keys")


def find(workspace: Path, name: str) -> ImageSource | None:
    """The source of a name: a tree in the workspace, for ImageNet else what TFDS has prepared.

    Looks only at a few folders.
    """
    folder = folder_of(workspace, name)
    if all((folder / part).is_dir() for part in PARTS):
        return ImageTree(folder)
    prepared = tfds_reader.find("imagenet2012", workspace) if name == "ImageNet" else None
    return ImageRecords(prepared) if prepared else None


def list_images(workspace: Path, name: str, source: ImageSource, report: Report) -> Listing:
    """All images of a source, from the list in the workspace where that is not out of date.

    Raises:
        OptexpError: the source is not as it should be, or the list cannot be written.
    """
    fingerprint = source.fingerprint()
    listing = _read_listing(workspace, name, fingerprint)
    if listing is None:
        listing = source.scan(report)
        _keep(workspace, name, fingerprint, listing)
    return listing


def listed(workspace: Path, name: str, source: ImageSource) -> Listing | None:
    """The list in the workspace, if there is one that is not out of date."""
    return _read_listing(workspace, name, source.fingerprint())


def index_of(workspace: Path, name: str) -> Path:
    """The folder of what is made of a source: beside it, for its own may be a link to others'."""
    return folder_of(workspace, f"{name}-index")


def _path(workspace: Path, name: str) -> Path:
    return index_of(workspace, name) / "listing.npz"


def _read_listing(workspace: Path, name: str, fingerprint: str) -> Listing | None:
    try:
        with _path(workspace, name).open("rb") as opened, np.load(opened) as file:
            if str(file["fingerprint"]) != fingerprint:
                return None
            parts = [Part(*(file[f"{part}_{f}"] for f in _FIELDS)) for part in PARTS]
            return Listing(tuple(file["classes"].tolist()), *parts)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # not there, or damaged: it is made again


def _keep(workspace: Path, name: str, fingerprint: str, listing: Listing) -> None:
    arrays = {
        f"{part}_{field}": getattr(getattr(listing, part), field)
        for part in PARTS
        for field in _FIELDS
    }
    with atomic_data_write(_path(workspace, name)) as path, path.open("wb") as file:
        np.savez(file, fingerprint=fingerprint, classes=np.array(listing.classes), **arrays)
