"""The options of `optexp results`."""

from __future__ import annotations

import argparse
from pathlib import Path

from optexp_jax.cli.parsing import Help, Parser, add_where, examples

COMMAND = "python -m optexp_jax.results"
_CSV = "GROUP --format csv > rows.csv"
FORMATS = ("parquet", "csv", "latex", "json")

_EPILOG = examples(
    (f"{COMMAND} list", "list the groups"),
    (f"{COMMAND} list GROUP", "list the runs of a group"),
    (f"{COMMAND} show 1a2b3c4d", "show the run whose id starts with 1a2b3c4d"),
    (f"{COMMAND} export GROUP --format csv > rows.csv", "write all rows of a group as CSV"),
    (f"{COMMAND} COMMAND --help", "show the options of a command"),
)


def parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    root = Parser(
        prog=COMMAND,
        allow_abbrev=False,
        formatter_class=Help,
        description="List, show, export, merge, check and clean the results in a workspace.\n"
        "The workspace is the folder OPTEXP_WORKSPACE, or ./workspace if that is not set.",
        epilog=_EPILOG,
    )
    actions = root.add_subparsers(dest="action", required=True, metavar="COMMAND", title="commands")

    def command(name: str, text: str, example: str = "") -> argparse.ArgumentParser:
        found = actions.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=f"example:\n  {COMMAND} {name} {example}".rstrip(),
            formatter_class=Help,
            allow_abbrev=False,
        )
        found.add_argument("--json", action="store_true", help="print JSON for programs")
        found.add_argument(
            "--import",
            dest="imports",
            action="append",
            default=[],
            metavar="MODULE",
            help="first import this module, which registers your own classes, e.g. my_model",
        )
        return found

    listed = command("list", "list groups, or the runs of a group: status, losses, size")
    listed.add_argument("group", nargs="?", metavar="GROUP", help="list the runs of this group")
    add_where(listed)
    shown = command("show", "show the details of a run and its loss curve", "1a2b3c4d")
    shown.add_argument("run", metavar="ID", help="the first digits of its id, or GROUP/ID")
    _add_export(command("export", "export a group as a table, one row for each run and step", _CSV))
    _add_page(
        command("page", "write an HTML page about a group: charts, runs, definitions", "GROUP")
    )
    merge = command("merge", "copy finished runs from another workspace", "../laptop/workspace")
    merge.add_argument("other", type=Path, metavar="OTHER_WORKSPACE", help="workspace to copy from")
    verify = command("verify", "check all files and rows, and find files that belong to no run")
    prune = command("prune", "remove old checkpoints, compiled programs and leftovers", "--dry-run")
    prune.add_argument(
        "--all-compiled",
        action="store_true",
        help="remove all compiled programs, not only those of other JAX versions",
    )
    remove = command("rm", "remove a group or a run", "GROUP --dry-run")
    remove.add_argument("wanted", metavar="GROUP|ID", help="a group, or the id of a run")
    for one in (merge, verify, remove):
        add_where(one)
    for one in (prune, remove):
        one.add_argument("--yes", action="store_true", help="remove without asking")
        one.add_argument("--dry-run", action="store_true", help="only show what would be removed")
    command("du", "show how much disk space the results take")
    return root


def _add_page(page: argparse.ArgumentParser) -> None:
    add_where(page)
    which = page.add_mutually_exclusive_group(required=True)
    which.add_argument("group", nargs="?", metavar="GROUP", help="group to write")
    which.add_argument("--all", action="store_true", help="write all groups, and an index")
    page.add_argument(
        "--module",
        dest="modules",
        action="append",
        default=[],
        metavar="NAME",
        help="show the commands of this module, e.g. experiments.linreg",
    )
    page.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="folder to write to (default: pages in the workspace)",
    )


def _add_export(export: argparse.ArgumentParser) -> None:
    export.add_argument("group", metavar="GROUP", help="group to export")
    add_where(export)
    export.add_argument(
        "--format", required=True, choices=FORMATS, help="latex: a table of the best runs"
    )
    export.add_argument("--per-class", action="store_true", help="also write a row for each class")
    export.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="file to write (default: standard output; for parquet exports/GROUP.parquet in the "
        "workspace)",
    )
