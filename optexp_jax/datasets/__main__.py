"""`python -m optexp_jax.datasets list | describe NAME | prepare NAME ...`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from optexp_jax.cli import datasets, options
from optexp_jax.cli.console import make_console
from optexp_jax.cli.guard import guarded
from optexp_jax.config import Settings

_COMMAND = "python -m optexp_jax.datasets"


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return guarded(lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    context = datasets.DataContext(Settings.from_env().workspace, make_console())
    if args.action == "list":
        return datasets.show_list(context)
    if args.action == "prepare":
        return datasets.prepare(context, args.names)
    return datasets.describe(context, args.name, args.groups)


def _parser() -> argparse.ArgumentParser:
    parser = options.Parser(
        prog=_COMMAND,
        allow_abbrev=False,
        description="Data sets: what there is, what is in it, and how it comes here.",
        epilog=f"Example: {_COMMAND} describe Shakespeare",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|describe|prepare")
    actions.add_parser("list", help="all data sets, and which of them are here")
    prepare = actions.add_parser("prepare", help="fetch and build data sets, once")
    prepare.add_argument("names", nargs="+", metavar="NAME", help="as `list` shows them")
    describe = actions.add_parser("describe", help="the classes of a data set, and a picture")
    describe.add_argument("name", metavar="NAME", help="as `list` shows them")
    describe.add_argument(
        "--groups", type=options.positive, metavar="N", help="number of frequency groups"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
