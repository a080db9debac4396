"""Figures of what the paper did not run.

Command: python -m plots.beyond_figures [--figure B1] [--scale paper|small] [--run-missing]
"""

from plots.beyond import FIGURES
from plots.command import main

__all__ = ["FIGURES"]

if __name__ == "__main__":
    main("beyond_figures", FIGURES)
