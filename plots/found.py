"""The figures and claims of the modules in a folder: what lies there is found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType

from plots.claim import Claim
from plots.figure import PaperFigure

_LAST = 10**6  # after all figures with a number


def modules_of(path: Iterable[str], name: str) -> list[ModuleType]:
    """The modules of a package."""
    names = sorted(module.name for module in pkgutil.iter_modules(path, prefix=f"{name}."))
    return [importlib.import_module(module) for module in names]


def figures_of(modules: Iterable[ModuleType]) -> list[PaperFigure]:
    """The `FIGURE` of each module that has one, in the order of their numbers."""
    found = [module.FIGURE for module in modules if hasattr(module, "FIGURE")]
    return sorted(found, key=lambda figure: _place(figure.number))


def claims_of(modules: Iterable[ModuleType]) -> list[Claim]:
    """The `CLAIMS` of all modules, in the order of the numbers of their figures."""
    found = [claim for module in modules for claim in getattr(module, "CLAIMS", [])]
    return sorted(found, key=lambda claim: _place(claim.figure))


def _place(number: str) -> int:
    """Where the first of the figures named stands, such as 4 for `4, 5` and for `B4`."""
    first = number.split(",")[0].removeprefix("B")
    return int(first) if first.isdigit() else _LAST
