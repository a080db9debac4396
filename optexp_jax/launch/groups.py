"""The command line of all modules of a package of experiments."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
from collections.abc import Sequence
from typing import NoReturn

from rich.table import Table

from optexp_jax.config import Settings
from optexp_jax.experiment import Experiment
from optexp_jax.launch import cli, commands
from optexp_jax.launch.tables import listed
from optexp_jax.results.store import RunFolder


def main(
    package: str, small: cli.Small | None = None, argv: Sequence[str] | None = None
) -> NoReturn:
    """`python -m <package>`: list, prepare, run or report all its experiments; ends the process.

    Args:
        package: name of the package whose modules declare `experiments`.
        small: gives the small form of a list.
        argv: arguments, those of the process unless given.
    """
    raise SystemExit(cli.guarded(lambda: _main(package, small, argv)))


def _main(package: str, small: cli.Small | None, argv: Sequence[str] | None) -> int:
    args = _parser(package).parse_args(argv)
    scale = " --scale small" if args.scale == "small" else ""
    console = cli.make_console()
    context = commands.Context(Settings.from_env(), console, f"python -m {package}", scale)
    modules = {
        name: list(cli.at_scale(experiments, small, args.scale))
        for name, experiments in discover(package).items()
    }
    if args.list and args.json:
        print(json.dumps(_as_json(modules), indent=1))
        return 0
    code = 0
    every = [experiment for members in modules.values() for experiment in members]
    if args.prepare:
        return commands.prepare(context, every)
    if args.local:
        code = context.run(every, commands.options_of(args))
    console.print(_table(modules, context.settings))
    if not args.list:
        context.say(f"One group in detail: python -m {package}.<module> --report{scale}")
    return code


def _parser(package: str) -> argparse.ArgumentParser:
    parser = cli.Parser(
        prog=f"python -m {package}",
        allow_abbrev=False,
        description="List, prepare, run or report all groups of experiments.",
        epilog=f"Example: python -m {package} --list",
    )
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--list", action="store_true", help="every module, group, and what is done")
    action.add_argument("--local", action="store_true", help="run everything that is not done")
    action.add_argument("--prepare", action="store_true", help="fetch and build all data, once")
    action.add_argument("--report", action="store_true", help="what is done of every group")
    parser.add_argument("--json", action="store_true", help="with --list: for programs")
    cli.add_run_options(parser)
    return parser


def discover(package: str) -> dict[str, list[Experiment]]:
    """Name below the package of every module that declares `experiments` -> its list."""
    root = importlib.import_module(package)
    found = {}
    for module in pkgutil.walk_packages(root.__path__, prefix=f"{package}."):
        if not module.name.endswith("__main__"):
            declared = getattr(importlib.import_module(module.name), "experiments", None)
            if isinstance(declared, list):
                found[module.name.removeprefix(f"{package}.")] = declared
    return dict(sorted(found.items()))


def _by_group(
    modules: dict[str, list[Experiment]],
) -> list[tuple[str, str, list[Experiment]]]:
    return [
        (module, group, [e for e in experiments if e.group == group])
        for module, experiments in modules.items()
        for group in dict.fromkeys(e.group for e in experiments)
    ]


def _as_json(modules: dict[str, list[Experiment]]) -> list[dict[str, object]]:
    return [
        {
            "module": module,
            "group": group,
            "n": len(members),
            "experiments": [listed(experiment) for experiment in members],
        }
        for module, group, members in _by_group(modules)
    ]


def _table(modules: dict[str, list[Experiment]], settings: Settings) -> Table:
    table = Table()
    for name in ("module", "group"):
        table.add_column(name, overflow="fold")
    for name in ("runs", "done", "diverged", "failed", "left"):
        table.add_column(name, justify="right")
    for module, group, members in _by_group(modules):
        states = [RunFolder(settings.workspace, e).status() for e in members]
        counts = [states.count(s) for s in ("done", "diverged", "failed")]
        left = len(members) - sum(counts)
        table.add_row(module, group, str(len(members)), *map(str, counts), str(left))
    return table
