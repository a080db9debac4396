"""Figures 1 to 9, of the paper's main text.

Command: python -m plots.paper_figures [--figure N] [--scale paper|small] [--format pdf,png]
"""

from plots import figures
from plots.command import main

FIGURES = [
    figure for figure in figures.FIGURES if figure.number.isdigit() and int(figure.number) <= 9
]

if __name__ == "__main__":
    main("paper_figures", FIGURES)
