"""One module for each figure of the paper, with its claims.

A module has `FIGURE`, a `PaperFigure`, and `CLAIMS`, a list of `Claim`, or one of both. What lies
in this folder is found: a figure is added by adding its module.

Where a claim's threshold comes from: "paper" marks what the text or the captions say, "theorem"
what follows from the proofs, "our reading" a number that we gave to words. What was known when they
were written is in `docs/claims.md`.
"""

from __future__ import annotations

from plots.found import claims_of, figures_of, modules_of

_MODULES = modules_of(__path__, __name__)
FIGURES = figures_of(_MODULES)
CLAIMS = claims_of(_MODULES)
