"""Matplotlib as figures that are saved need it: without the backend that shows them on a screen.

A notebook tells its programs the backend of its own screen (`MPLBACKEND`), which a `!python` may
not have, and with which Matplotlib then refuses to be imported. Here it is imported without; a
backend that is there is taken all the same, for figures that a notebook shows itself.
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
