"""One module for each figure of the paper, with its claims.

A module has `FIGURE`, a `PaperFigure`, and `CLAIMS`, a list of `Claim`, or one of both. What lies
in this folder is found: a figure is added by adding its module.

Where a claim's threshold comes from: "paper" marks what the text or the captions say, "theorem"
what follows from the proofs, "our reading" a number that we gave to words. What was known when they
were written is in `docs/claims.md`.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from plots.claim import Claim
from plots.figure import PaperFigure

_LAST = 10**6  # after all figures with a number


def _modules() -> list[ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__, prefix=f"{__name__}."))
    return [importlib.import_module(name) for name in names]


def _figures() -> list[PaperFigure]:
    found = [module.FIGURE for module in _modules() if hasattr(module, "FIGURE")]
    return sorted(found, key=lambda figure: _place(figure.number))


def _claims() -> list[Claim]:
    found = [claim for module in _modules() for claim in getattr(module, "CLAIMS", [])]
    return sorted(found, key=lambda claim: _place(claim.figure))


def _place(number: str) -> int:
    """Where the first of the figures named stands in the paper."""
    first = number.split(",")[0]
    return int(first) if first.isdigit() else _LAST


FIGURES = _figures()
CLAIMS = _claims()
