"""The command line of all modules of a package of experiments."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import pkgutil
import sys
from collections.abc import Sequence
from typing import NoReturn

from rich.table import Table

from optexp_jax.cli import cluster, cluster_all, cluster_options, options, wandb
from optexp_jax.cli.console import make_console
from optexp_jax.cli.context import Context
from optexp_jax.cli.guard import guarded
from optexp_jax.cli.prepare import prepare
from optexp_jax.cli.tables import listed, plan_table
from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.results.run_folders import RunFolders, to_read
from optexp_jax.results.store import RunFolder
from optexp_jax.runner.planning import Planned, Planner, seconds_of, within


def main(package: str, plan: Planner | None = None, argv: Sequence[str] | None = None) -> NoReturn:
    """`python -m <package>`: list, prepare, run, send or report all of it; ends the process.

    Args:
        package: name of the package whose modules declare `experiments`, and `resources`: the
            profile of what a run needs on a cluster, see `profiles.toml`. One may declare the
            `wandb_project` of its runs, too.
        plan: gives the small form of a list, and about what its runs take.
        argv: arguments, those of the process unless given.
    """
    raise SystemExit(guarded(lambda: _main(package, plan, argv)))


def _main(package: str, plan: Planner | None, argv: Sequence[str] | None) -> int:
    args = _parser(package).parse_args(argv)
    if args.budget and not args.local:
        raise OptexpError("--budget says how long --local runs: add it.", code="option-needs-local")
    cluster_options.require_sender(args, "dry-run")
    scale = " --scale small" if args.scale == "small" else ""
    console = make_console()
    declared = discover(package)
    runs = {name: _at_scale(members, plan, args.scale) for name, members in declared.items()}
    modules = {name: [run.experiment for run in members] for name, members in runs.items()}
    settings = dataclasses.replace(
        Settings.from_env(), wandb_projects=_wandb_projects(package, modules)
    )
    context = Context(settings, console, f"python -m {package}", scale)
    if args.list and args.json:
        print(json.dumps(_as_json(modules), indent=1))
        return 0
    code = 0
    every = [run for members in runs.values() for run in members]
    if args.prepare:
        return prepare(context, [run.experiment for run in every])
    if wandb.is_asked(args):
        return wandb.act(context, [run.experiment for run in every], args)
    if args.scheduler:
        return cluster_all.submit_all(context, _with_profiles(package, modules), args)
    if args.cancel:
        return cluster.cancel(context, [run.experiment for run in every])
    if args.local:
        chosen = _left(every, args.budget, args.force, context.folders)
        if args.dry_run:
            return _show(chosen, context)
        _announce(chosen, context)
        code = context.run_experiments(
            [run.experiment for run in chosen], options.run_options(args)
        )
    console.print(_table(modules, context.folders))
    if not args.list:
        context.say(f"One group in detail: python -m {package}.<module> --report{scale}")
    return code


def _parser(package: str) -> argparse.ArgumentParser:
    parser = options.Parser(
        prog=f"python -m {package}",
        allow_abbrev=False,
        description="List, prepare, run, send or report all groups of experiments.",
        epilog=f"Example: python -m {package} --list",
    )
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--list", action="store_true", help="every module, group, and what is done")
    action.add_argument("--local", action="store_true", help="run everything that is not done")
    action.add_argument("--prepare", action="store_true", help="fetch and build all data, once")
    action.add_argument("--report", action="store_true", help="what is done of every group")
    cluster_options.add_senders(action, "send to the cluster what is not done yet of every group")
    wandb.add_actions(action)
    action.add_argument("--cancel", action="store_true", help="cancel all that was sent of them")
    parser.add_argument(
        "--budget",
        type=options.positive,
        metavar="MINUTES",
        help="the most informative runs that fit, e.g. --local --scale small --budget 10",
    )
    parser.add_argument("--json", action="store_true", help="with --list: for programs")
    options.add_run_options(parser)
    cluster_options.add_options(parser, options.positive)
    return parser


def _at_scale(experiments: list[Experiment], plan: Planner | None, scale: str) -> list[Planned]:
    if scale == "paper":
        return [Planned(experiment) for experiment in experiments]
    if plan is None:
        raise OptexpError(
            "These experiments have no small form: use --scale paper.", code="no-small-form-here"
        )
    return plan(experiments)


def _left(
    runs: list[Planned], budget: int | None, force: bool, folders: RunFolders
) -> list[Planned]:
    """What is not done yet, or everything by force; of that what fits into a budget."""
    left = [run for run in runs if force or not _is_done(folders[run.experiment])]
    if budget is None:
        return left
    if seconds_of(left) is None:
        raise OptexpError(
            "What runs take is known at --scale small only: --budget needs it.",
            code="budget-needs-small",
        )
    return within(left, budget)


def _is_done(folder: RunFolder) -> bool:
    """Whether a run is done; a damaged one is left to do, which says what is wrong with it."""
    return folder.damage() is None and to_read(folder).is_finished()


def _announce(runs: list[Planned], context: Context) -> None:
    seconds = seconds_of(runs)
    about = "" if seconds is None else f", about {seconds / 60:.0f} minutes on two cores"
    context.say(f"{len(runs)} runs are left to do{about}.")


def _show(runs: list[Planned], context: Context) -> int:
    context.console.print(plan_table(runs))
    _announce(runs, context)
    return 0


def _with_profiles(package: str, modules: dict[str, list[Experiment]]) -> list[cluster_all.Module]:
    """The modules with the profiles that they declare as `resources`."""
    return [
        cluster_all.Module(f"{package}.{name}", members, _said(package, name, "resources"))
        for name, members in modules.items()
    ]


def _wandb_projects(
    package: str, modules: dict[str, list[Experiment]]
) -> tuple[tuple[str, str], ...]:
    """The wandb project of each group whose module declares one as `wandb_project`."""
    own = {name: _said(package, name, "wandb_project") for name in modules}
    groups = {e.group: own[name] for name, members in modules.items() for e in members}
    return tuple((group, project) for group, project in groups.items() if project)


def _said(package: str, name: str, what: str) -> str | None:
    """What a module says of its experiments beside their list; None where it says nothing."""
    return getattr(sys.modules.get(f"{package}.{name}"), what, None)


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


def _table(modules: dict[str, list[Experiment]], folders: RunFolders) -> Table:
    table = Table()
    for name in ("module", "group"):
        table.add_column(name, overflow="fold")
    for name in ("runs", "done", "diverged", "failed", "left"):
        table.add_column(name, justify="right")
    for module, group, members in _by_group(modules):
        states = [folders.to_read(e).status() for e in members]
        counts = [states.count(s) for s in ("done", "diverged")]
        counts.append(states.count("failed") + states.count("damaged"))
        left = len(members) - sum(counts)
        table.add_row(module, group, str(len(members)), *map(str, counts), str(left))
    return table
