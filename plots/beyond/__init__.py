"""One module for each figure beyond the paper, B1, B2, ..., with its claims; as `plots.figures`.

Thresholds were written down before the runs were looked at; what was known by then is in
`docs/beyond.md`.
"""

from __future__ import annotations

from plots.found import claims_of, figures_of, modules_of

_MODULES = modules_of(__path__, __name__)
FIGURES = figures_of(_MODULES)
CLAIMS = claims_of(_MODULES)
