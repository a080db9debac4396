"""Import Matplotlib to save figures, even if its screen backend is missing.

A notebook passes the backend of its screen (`MPLBACKEND`) to its programs. A `!python` may lack
that backend, and Matplotlib then refuses to import. This module imports it without the variable. It
still uses a backend that exists, for figures that a notebook shows itself.
"""

from __future__ import annotations

import contextlib
import os
import sys

_VARIABLE = "MPLBACKEND"


def _import_matplotlib() -> None:
    wanted = os.environ.pop(_VARIABLE, None)
    try:
        import matplotlib
    finally:
        if wanted is not None:
            os.environ[_VARIABLE] = wanted
    if wanted:
        with contextlib.suppress(ValueError):  # there is no such backend
            matplotlib.rcParams["backend"] = wanted


if "matplotlib" not in sys.modules:
    _import_matplotlib()
