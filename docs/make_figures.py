"""`python -m tools.make_figures` by its earlier name, `python docs/make_figures.py`."""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    runpy.run_module("tools.make_figures", run_name="__main__", alter_sys=True)
