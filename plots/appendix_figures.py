"""Figures 10 to 33, of the paper's appendix.

Command: python -m plots.appendix_figures [--figure N] [--scale paper|small] [--format pdf,png]
"""

from plots import figures
from plots.command import main

FIGURES = [
    figure for figure in figures.FIGURES if figure.number.isdigit() and int(figure.number) > 9
]

if __name__ == "__main__":
    main("appendix_figures", FIGURES)
