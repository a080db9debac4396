"""The options of `python -m optexp_jax.results`."""

from __future__ import annotations

import argparse
from pathlib import Path

from optexp_jax.cli import options

COMMAND = "python -m optexp_jax.results"
FORMATS = ("parquet", "csv", "latex", "json")

_EPILOG = f"""The workspace is OPTEXP_WORKSPACE, or else ./workspace. Examples:
  {COMMAND} list linreg
  {COMMAND} show 1a2b3c4d
  {COMMAND} export linreg --format csv > linreg.csv"""


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    root = options.Parser(
        prog=COMMAND,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="What a workspace holds: listed, shown, exported, merged, checked, cleaned.",
        epilog=_EPILOG,
    )
    actions = root.add_subparsers(dest="action", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        found = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
        found.add_argument("--json", action="store_true", help="for programs")
        found.add_argument(
            "--import",
            dest="imports",
            action="append",
            default=[],
            metavar="MODULE",
            help="import this first: it registers classes that runs have, e.g. --import my_model",
        )
        return found

    listed = command("list", "the groups, or the runs of a group: status, losses, size")
    listed.add_argument("group", nargs="?", metavar="GROUP")
    shown = command("show", "all that is known of a run, and its curve")
    shown.add_argument("run", metavar="ID", help="the first digits of an id, or GROUP/ID")
    _add_export(command("export", "a tidy table of a group: a row for each run and step"))
    _add_page(command("page", "a group as one HTML file: charts, runs, how each was made"))
    merge = command("merge", "copy the finished runs of another workspace that are not here")
    merge.add_argument("other", type=Path, metavar="OTHER_WORKSPACE")
    command("verify", "read every file, count every row, name what belongs to no run")
    prune = command("prune", "remove checkpoints, compiled programs and leftovers nobody needs")
    prune.add_argument(
        "--all-compiled",
        action="store_true",
        help="all compiled programs, not only those of other versions of JAX",
    )
    remove = command("rm", "remove a group or a run")
    remove.add_argument("wanted", metavar="GROUP|ID")
    for one in (prune, remove):
        one.add_argument("--yes", action="store_true", help="do not ask")
        one.add_argument("--dry-run", action="store_true", help="say what, and remove nothing")
    command("du", "what takes how much of the disk")
    return root


def _add_page(page: argparse.ArgumentParser) -> None:
    which = page.add_mutually_exclusive_group(required=True)
    which.add_argument("group", nargs="?", metavar="GROUP")
    which.add_argument("--all", action="store_true", help="of all groups, and an index of them")
    page.add_argument(
        "--module",
        dest="modules",
        action="append",
        default=[],
        metavar="NAME",
        help="show the commands of this module of experiments, e.g. --module experiments.linreg",
    )
    page.add_argument(
        "--output", type=Path, metavar="FOLDER", help="else the folder pages in the workspace"
    )


def _add_export(export: argparse.ArgumentParser) -> None:
    export.add_argument("group", metavar="GROUP")
    export.add_argument("--format", required=True, choices=FORMATS, help="latex: the best runs")
    export.add_argument("--per-class", action="store_true", help="a row for each class as well")
    export.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="else the standard output; for parquet exports/GROUP.parquet in the workspace",
    )
