"""The options of the commands of figures and claims. Needs no JAX, so that `--help` is fast."""

from __future__ import annotations

import argparse

from optexp_jax.cli.parsing import Parser
from optexp_jax.forms import SCALES

SOURCES = ("ours", "paper")
# Of each command; a test compares them with the figures.
NUMBERS = {
    "make_all_plots": "1 to 33, legends",
    "paper_figures": "1 to 9",
    "appendix_figures": "10 to 33",
    "beyond_figures": "B1, B2, B3, B4, B5, B6, B7",
}


def parser_of(name: str) -> argparse.ArgumentParser:
    """Make the parser of a command, such as `plots.claims`."""
    module = name.rpartition(".")[2]
    return parser_of_claims() if module == "claims" else parser_of_figures(module)


def parser_of_figures(module: str) -> argparse.ArgumentParser:
    """Make the parser of a module that draws figures."""
    parser = Parser(
        prog=f"python -m plots.{module}",
        allow_abbrev=False,
        description=f"Draw figures: {NUMBERS[module]}.",
        epilog=f"Example: python -m plots.{module} --scale small",
    )
    parser.add_argument(
        "--figure", metavar="N", action="append", help="only this one; several with commas"
    )
    parser.add_argument("--scale", choices=SCALES, default="paper", help="of the runs")
    _add_source(parser)
    parser.add_argument("--format", default="pdf,png", help="of the files (pdf,png)")
    parser.add_argument(
        "--run-missing", action="store_true", help="first run what the figures need"
    )
    return parser


def parser_of_claims() -> argparse.ArgumentParser:
    """Make the parser of `plots.claims`."""
    parser = Parser(
        prog="python -m plots.claims",
        allow_abbrev=False,
        description="Check the claims of the paper.",
        epilog="Example: python -m plots.claims --scale small",
    )
    parser.add_argument(
        "--scale",
        action="append",
        choices=SCALES,
        help="of the runs (default: paper); give it again to judge claims at several scales",
    )
    _add_source(parser)
    parser.add_argument(
        "--figure",
        metavar="N",
        action="append",
        help="only claims of this figure; several with commas",
    )
    parser.add_argument(
        "--beyond", action="store_true", help="the claims on what the paper did not run, instead"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source", choices=SOURCES, default="ours", help="our runs, or those the paper released"
    )
