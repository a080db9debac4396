"""The data sets of the library by name, as the paper has them, and their offline forms.

A class says by a class method `listed()` which data sets are listed, by name. One of ours that does
not say so is listed under its own name, with the fields that it has by default and with seed 0.
"""

from __future__ import annotations

import dataclasses
import difflib
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from optexp_jax.datasets.data import Data, Dataset
from optexp_jax.errors import OptexpError
from optexp_jax.registry import field_names, is_ours, registered

_ROOMS = ("synthetic", "images", "text", "frozen_features", "imagenet")


@runtime_checkable
class _Loads(Protocol):
    """A class with `load`, which data sets have and other registered classes lack."""

    def load(self, workspace: Path) -> Data: ...


def catalogue() -> dict[str, Dataset]:
    """Data sets by name, room after room, classes by name."""
    classes = [cls for cls in registered().values() if issubclass(cls, _Loads)]
    entries: dict[str, Dataset] = {}
    for cls in sorted(classes, key=_place):
        for name, dataset in _entries(cls).items():
            entries.setdefault(name, dataset)  # a name of ours stays ours
    return entries


def _place(cls: type) -> tuple[int, str]:
    """Ours first; those of anybody else last."""
    rooms = [i for i, room in enumerate(_ROOMS) if f".{room}" in cls.__module__ and is_ours(cls)]
    return rooms[0] if rooms else len(_ROOMS), cls.__name__.lower()


def _entries(cls: Any) -> dict[str, Dataset]:
    if "listed" in vars(cls):  # those of a base are other data sets
        return cls.listed()
    if not is_ours(cls):
        return {}
    drawn = "seed" in field_names(cls) and cls().seed is None
    return {cls.__name__: dataclasses.replace(cls(), seed=0) if drawn else cls()}


CATALOGUE = catalogue()


def named(name: str) -> tuple[str, Dataset]:
    """The data set of a name, in any mixture of capitals.

    Returns:
        its name as it is written, and the data set.

    Raises:
        OptexpError: no data set has that name; similar ones are named.

    >>> from optexp_jax.datasets import PTB
    >>> named("ptb")[1] == PTB()
    True
    """
    by_small_letters = {known.lower(): known for known in CATALOGUE}
    known = by_small_letters.get(name.lower())
    if known is None:
        close = difflib.get_close_matches(name.lower(), by_small_letters, n=3, cutoff=0.5)
        meant = f"did you mean {' or '.join(by_small_letters[c] for c in close)}? " if close else ""
        raise OptexpError(
            f"There is no data set '{name}': {meant}`python -m optexp_jax.datasets list` shows "
            "all names.",
            code="unknown-data-set",
            dataset=name,
        )
    return known, CATALOGUE[known]
