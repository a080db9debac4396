"""Base class of data sets with many rare classes, made from images of ten classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from optexp_jax.datasets.base import origin_of
from optexp_jax.datasets.classes import counts_of
from optexp_jax.datasets.data import Data, Facts, Report, Split, silent
from optexp_jax.datasets.data_files import MissingDataError, made_from, needed_by
from optexp_jax.datasets.images.digits import Digits
from optexp_jax.datasets.images.mnist import MNIST, FashionMNIST
from optexp_jax.datasets.seeds import random_order, seed_of
from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_flag, check_seed
from optexp_jax.per_class import frequency_groups

PlainImages = MNIST | FashionMNIST | Digits


class RareClasses:
    """Rare classes made from a source's training images, alone or joined with these images.

    The training images of the source are split 5 : 1, by a permutation drawn from the seed, into
    those that training and those that validation images are made from.
    """

    source: PlainImages
    joined: bool
    normalised: bool
    seed: int | None

    @property
    def num_rare_classes(self) -> int:
        """Classes that are made from the source's."""
        raise NotImplementedError

    @property
    def rare_examples(self) -> tuple[int, int]:
        """Training and validation examples of each rare class."""
        raise NotImplementedError

    @property
    def num_classes(self) -> int:
        """The ten classes of the source, where joined, and the rare ones behind them."""
        return 10 * self.joined + self.num_rare_classes

    @property
    def num_groups(self) -> int:
        """Frequent and rare classes where joined; else all classes are as frequent."""
        return 2 if self.joined else 1

    @property
    def facts(self) -> Facts:
        """Sizes, known without the files; the ratio depends on the seed where joined."""
        plain = self.source.facts.train or 0
        base = (_first_part(plain), plain - _first_part(plain))
        train, validation = (
            n * self.joined + k * self.num_rare_classes
            for n, k in zip(base, self.rare_examples, strict=True)
        )
        return Facts(train, validation, None if self.joined else 1.0)

    def groups(
        self, class_counts: np.ndarray, n_groups: int | None = None
    ) -> tuple[np.ndarray, ...]:
        """Where joined, the classes of the source and the rare ones, unless more are asked for.

        Two groups of half the examples each would put some rare classes among the frequent ones.
        """
        if self.joined and n_groups in (None, 2):
            return np.arange(10), np.arange(10, self.num_classes)
        return frequency_groups(class_counts, n_groups or self.num_groups)

    @property
    def origin(self) -> str:
        """The data set whose files are used."""
        return origin_of(self.source)

    def missing(self, workspace: Path) -> str | None:
        """Say what the source lacks; None if nothing."""
        return needed_by(self, self.source, self.source.missing(workspace))

    def is_prepared(self, workspace: Path) -> bool:
        """Whether the source is."""
        return self.source.is_prepared(workspace)

    def prepare(self, workspace: Path, report: Report = silent) -> None:
        """Prepare the source; everything else is made when it is loaded."""
        with made_from(self, self.source):
            self.source.prepare(workspace, report)

    def _check(self, *flags: str) -> None:
        name = type(self).__name__
        for flag in ("joined", "normalised", *flags):
            check_flag(f"{flag} of {name}", getattr(self, flag))
        check_seed(name, self.seed)
        if not isinstance(self.source, PlainImages):
            raise OptexpError(
                f"The source of {name} must be MNIST(), FashionMNIST() or Digits(), not "
                f"{self.source!r}.",
                code="wrong-kind",
                field="source",
                kind=name,
                value=self.source,
            )
        if self.source.flatten:
            raise OptexpError(
                f"{name} needs images: give it a source with flatten=False.",
                code="source-not-images",
                dataset=name,
                source=self.source,
            )

    def _halves(self, workspace: Path) -> tuple[Split, Split]:
        seed = seed_of(self)  # before the files, so that a missing seed is reported at once
        sentence = self.missing(workspace)
        if sentence:
            raise MissingDataError(sentence, code="data-not-here", dataset=type(self).__name__)
        train, _ = self.source.raw(workspace)
        images, labels = np.asarray(train.inputs), np.asarray(train.labels)
        order = random_order(len(labels), seed, "split")
        cut = _first_part(len(order))
        first, second = (Split(images[i], labels[i]) for i in (order[:cut], order[cut:]))
        return first, second

    def class_counts(self, workspace: Path) -> np.ndarray:
        """Training examples of each class, without making their images.

        Raises:
            OptexpError: the source is not here or damaged, or there is no seed.
        """
        train, _ = self._halves(workspace)
        return counts_of(self._labels(train, self.rare_examples[0]), self.num_classes)

    def _labels(self, base: Split, examples: int) -> np.ndarray:
        """Labels of the source's images, where joined, and of the rare classes in order."""
        rare = np.repeat(np.arange(self.num_rare_classes, dtype=np.int32), examples)
        if not self.joined:
            return rare
        return np.concatenate([np.asarray(base.labels).astype(np.int32), rare + 10])

    def _data(
        self, inputs: tuple[np.ndarray, np.ndarray], labels: tuple[np.ndarray, np.ndarray]
    ) -> Data:
        train, validation = (Split(x, y) for x, y in zip(inputs, labels, strict=True))
        return Data(train, counts_of(labels[0], self.num_classes), validation)


def _first_part(n: int) -> int:
    """Images that training ones are made from: 50,000 of the 60,000 of MNIST."""
    return n * 5 // 6
