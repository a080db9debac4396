"""`python -m optexp_jax.datasets list | describe NAME | prepare NAME ...`, or `optexp datasets`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from optexp_jax.cli.console import make_console
from optexp_jax.cli.guard import guarded
from optexp_jax.cli.parsing import Help, Parser, examples, positive
from optexp_jax.config import Settings

_COMMAND = "python -m optexp_jax.datasets"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit code."""
    return guarded(lambda: _main(argv), numeric=False)


def _main(argv: Sequence[str] | None) -> int:
    args = parser().parse_args(argv)
    from optexp_jax.cli import datasets  # these import JAX, and `--help` must be fast
    from optexp_jax.numerics import pinned

    context = datasets.DataContext(Settings.from_env().workspace, make_console())
    with pinned():
        if args.action == "list":
            return datasets.show_list(context)
        if args.action == "prepare":
            return datasets.prepare(context, args.names)
        return datasets.describe(context, args.name, args.groups)


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    found = Parser(
        prog=_COMMAND,
        allow_abbrev=False,
        formatter_class=Help,
        description="List, describe and download data sets.",
        epilog=examples(
            (f"{_COMMAND} list", "list all data sets"),
            (f"{_COMMAND} describe Shakespeare", "show how frequent its classes are"),
            (f"{_COMMAND} prepare MNIST", "download it, once"),
        ),
    )
    actions = found.add_subparsers(
        dest="action", required=True, metavar="list|describe|prepare", title="commands"
    )

    def command(name: str, text: str, example: str = "") -> argparse.ArgumentParser:
        return actions.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=f"example:\n  {_COMMAND} {name} {example}".rstrip(),
            formatter_class=Help,
        )

    command("list", "list all data sets, and show which of them are on this machine")
    prepare = command("prepare", "download and prepare data sets, once", "MNIST")
    prepare.add_argument("names", nargs="+", metavar="NAME", help="names from `list`")
    describe = command("describe", "show the class frequencies of a data set", "Shakespeare")
    describe.add_argument("name", metavar="NAME", help="a name from `list`")
    describe.add_argument("--groups", type=positive, metavar="N", help="number of frequency groups")
    return found
