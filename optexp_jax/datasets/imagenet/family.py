"""What ImageNet and its subsets share."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np

from optexp_jax.datasets.base import counts_of_one_size, unknown_shapes
from optexp_jax.datasets.classes import ByFrequency, counts_of
from optexp_jax.datasets.data import Data, Facts, Report, silent
from optexp_jax.datasets.data_files import MissingDataError, folder_of
from optexp_jax.datasets.imagenet import sources
from optexp_jax.datasets.imagenet.split import ImageSplit
from optexp_jax.datasets.imagenet.subset import subset
from optexp_jax.datasets.imagenet.tree import PARTS, ImageTree, Part
from optexp_jax.datasets.seeds import random_order
from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_flag, check_integer

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageNetFamily(ByFrequency):
    """What ImageNet and its subsets share.

    Args:
        num_classes: number of class folders.
        size: height and width of an input, in pixels.
        source: the folder of `train` and `val` under `datasets` in the workspace; without it,
            `ImageNet` is what TensorFlow Datasets has prepared as `imagenet2012`.
        augment: whether training takes random crops and flips; else centre crops.
        evaluated: number of training images, always the same, on whose centre crops the training
            loss is measured; None for all.
        validated: number of validation images, always the same, that are used; None for all.

    Raises:
        OptexpError: a field has an impossible value.
    """

    num_classes: int = 1000
    size: int = 224
    source: str = "ImageNet"
    augment: bool = True
    evaluated: int | None = None
    validated: int | None = None

    def __post_init__(self) -> None:
        name, numbers = type(self).__name__, dataclasses.asdict(self)
        check_flag(f"augment of {name}", numbers.pop("augment"))
        folder = numbers.pop("source")
        if not isinstance(folder, str) or folder in ("", "..") or Path(folder).name != folder:
            raise OptexpError(
                f"source of {name} must be the name of a folder, not {folder!r}.",
                code="not-a-folder-name",
                field="source",
                kind=name,
                value=folder,
            )
        for field, value in numbers.items():
            if value is not None or field not in ("evaluated", "validated"):
                check_integer(f"{field} of {name}", value, least=int(field != "seed"))

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Height, width and channels."""
        return self.size, self.size, 3

    @property
    def facts(self) -> Facts:
        """Sizes, where they follow from those of ImageNet."""
        profile = self.profile()
        if profile is None or self.source != "ImageNet" or self.num_classes != 1000:
            return Facts()
        # Classes of ImageNet have 732 to 1,300 training images, and many have 1,300.
        counts = np.minimum(profile, 1300)
        if counts[10:].max() > 732:
            return Facts()
        validation = min(self.validated or 50_000, 50_000)
        return Facts(int(counts.sum()), validation, float(counts.max() / counts.min()))

    def shapes(self) -> Data:
        """Splits without images, of the sizes in `facts`; their labels are all 0.

        Raises:
            OptexpError: sizes that depend on the files.
        """
        facts = self.facts
        if facts.train is None or facts.validation is None:
            raise unknown_shapes(self)
        train, validation = (self._unread(n) for n in (facts.train, facts.validation))
        few = self.evaluated is not None and self.evaluated < len(train)
        evaluation = self._unread(self.evaluated or 0) if few else None
        return Data(train, counts_of_one_size(self), validation, evaluation)

    def _unread(self, number: int) -> ImageSplit:
        zeros = np.zeros(number, np.int32)
        images = Part(np.zeros(number, "S1"), zeros, zeros)
        nowhere = ImageTree(Path(self.source))
        return ImageSplit(nowhere, "train", images, self.size, self.augment, _MEAN, _STD)

    def profile(self) -> np.ndarray | None:
        """Images asked for of the k-th most frequent class, `[num_classes]`; None for all."""
        return None

    def load(self, workspace: Path) -> Data:
        """Splits whose images are decoded as they are needed; labels are indices of class folders.

        Validation is on all images of `val`, for every subset. The first time, it does what
        `prepare` does.

        Raises:
            OptexpError: the images are not here, are damaged, or have changed.
        """
        return self._open(workspace, silent)

    @property
    def origin(self) -> str:
        """The tree whose listing is used."""
        return self.source

    def missing(self, workspace: Path) -> str | None:
        """A sentence that says what is not there and how to get it, or None."""
        if sources.find(workspace, self.source):
            return None
        folder = folder_of(workspace, self.source)
        absent = " and ".join(part for part in PARTS if not (folder / part).is_dir())
        data_dir = folder_of(workspace, "tfds")
        tfds = f", or let TFDS prepare it (`tfds build imagenet2012 --data_dir={data_dir}`)"
        return (
            f"The data set {type(self).__name__} is not here: no {absent} in {folder}; register at "
            "image-net.org and place or link its images there, train/<class>/*.JPEG and "
            f"val/<class>/*.JPEG{tfds if self.source == 'ImageNet' else ''}; offline, FashionMNIST "
            "can be used instead."
        )

    def prepare(self, workspace: Path, report: Report = silent) -> None:
        """List the images, choose the subset and measure its channels, once; no network is used.

        Raises:
            OptexpError: as `load`.
        """
        self._open(workspace, report)

    def is_prepared(self, workspace: Path) -> bool:
        """Whether `load` has nothing slow to do."""
        source = sources.find(workspace, self.source)
        if source is None or (self.profile() is not None and not self._file(workspace).is_file()):
            return False
        listing = sources.listed(workspace, self.source, source)
        return listing is not None and len(listing.classes) == self.num_classes

    def _file(self, workspace: Path) -> Path:
        """The file of the selection; its name is a hash of what selection and channels need."""
        fields = dataclasses.asdict(self)
        for other in ("source", "augment", "evaluated", "validated"):
            del fields[other]
        text = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
        file = f"{type(self).__name__}-{text[:12]}.npz"
        return sources.index_of(workspace, self.source) / "subsets" / file

    def _open(self, workspace: Path, report: Report) -> Data:
        source = sources.find(workspace, self.source)
        if source is None:
            raise MissingDataError(
                self.missing(workspace) or "", code="data-not-here", dataset=type(self).__name__
            )
        listing = sources.list_images(workspace, self.source, source, report)
        if len(listing.classes) != self.num_classes:
            raise OptexpError(
                f"{source.folder} has {len(listing.classes)} classes, not {self.num_classes}: add "
                f"the missing ones, or write num_classes={len(listing.classes)}.",
                code="wrong-number-of-classes",
                folder=source.folder,
                found=len(listing.classes),
                num_classes=self.num_classes,
            )
        train = ImageSplit(source, "train", listing.train, self.size, self.augment, _MEAN, _STD)
        profile = self.profile()
        if profile is not None:
            seed = getattr(self, "seed", 0)
            train = subset(self._file(workspace), train, profile, seed, report)
        validation = dataclasses.replace(train, part="val", images=listing.val)
        evaluation = None
        if self.evaluated is not None and self.evaluated < len(train):
            evaluation = _fixed(train, self.evaluated, "evaluated")
        counts = counts_of(train.labels, self.num_classes)
        return Data(train, counts, _fixed(validation, self.validated, "validated"), evaluation)


def _fixed(split: ImageSplit, number: int | None, use: str) -> ImageSplit:
    """So many images of a split, or all, always the same; centre crops."""
    chosen = np.sort(random_order(len(split), 0, use)[:number])
    return dataclasses.replace(split, images=split.images.take(chosen), augment=False)
