"""All figures of the paper, and a sheet of legends.

Command: python -m plots.make_all_plots [--scale paper|small] [--format pdf,png]
"""

from plots.command import main
from plots.figures import FIGURES

if __name__ == "__main__":
    main("make_all_plots", FIGURES)
