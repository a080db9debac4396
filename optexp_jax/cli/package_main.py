"""The command line of all modules of a package of experiments."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from optexp_jax.cli import cluster, cluster_all, cluster_options, group_list, options, wandb
from optexp_jax.cli.console import make_console
from optexp_jax.cli.context import Context
from optexp_jax.cli.guard import guarded
from optexp_jax.cli.package_options import parser_of_package
from optexp_jax.cli.prepare import prepare
from optexp_jax.cli.selection import no_form
from optexp_jax.cli.tables import listed, plan_table
from optexp_jax.cli.where import filtered
from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.forms import Planned, Planner, option_of
from optexp_jax.results.run_folders import RunFolders, to_read
from optexp_jax.results.store import RunFolder
from optexp_jax.runner.pace import duration
from optexp_jax.runner.planning import seconds_of, within
from optexp_jax.runner.preparation import missing_data

Plans = Mapping[str, Planner | None]  # what makes a smaller form, by scale


def main(
    package: str,
    plan: Planner | None = None,
    argv: Sequence[str] | None = None,
    *,
    medium: Planner | None = None,
    listed_too: Sequence[str] = (),
) -> NoReturn:
    """Run the command line of all modules of a package; ends the process.

    Args:
        package: name of the package. Its modules declare their list of `experiments` and the
            profile of their `resources` on a cluster, see `profiles.toml`. A module may also
            declare its `wandb_project`, and the `seconds` that a run takes on two cores.
        plan: makes the small form of a list, with the time of each run.
        argv: arguments; None for those of the process.
        medium: makes the medium form of those that have one, likewise.
        listed_too: packages inside this one with a command line of their own, whose groups `--list`
            shows below these.
    """
    plans = {"small": plan, "medium": medium}
    raise SystemExit(guarded(lambda: _main(package, plans, argv, listed_too)))


def _main(
    package: str,
    plans: Plans,
    argv: Sequence[str] | None,
    listed_too: Sequence[str],
) -> int:
    args = parser_of_package(package).parse_args(argv)
    if args.budget and not args.local:
        raise OptexpError(
            "--budget limits the time of --local: add --local.", code="option-needs-local"
        )
    cluster_options.require_sender(args, "dry-run")
    scale = option_of(args.scale)
    console = make_console()
    runs = _declared(package, plans, args)
    modules = {name: [run.experiment for run in members] for name, members in runs.items()}
    settings = dataclasses.replace(
        Settings.from_env(), wandb_projects=_wandb_projects(package, modules)
    )
    context = Context(settings, console, f"python -m {package}", scale)
    if args.list and args.json:
        print(json.dumps(_as_json(runs), indent=1))
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
    _show_groups(package, runs, context, args.scale)
    context.say(f"Details of one module: python -m {package}.MODULE --report{scale}")
    for other in listed_too if args.list else ():
        if declared := _declared(other, plans, args):
            context.say()
            context.say(f"Not counted above, and run by python -m {other}:")
            _show_lines(other, declared, context)
    return code


def _declared(package: str, plans: Plans, args: argparse.Namespace) -> dict[str, list[Planned]]:
    """The runs of all modules of a package that the arguments ask for, with some at this scale."""
    at_scale = {
        name: _at_scale(members, plans, args.scale, _said(package, name, "seconds"))
        for name, members in discover(package).items()
    }
    return _chosen({name: runs for name, runs in at_scale.items() if runs}, args.where)


def _at_scale(
    experiments: list[Experiment], plans: Plans, scale: str, seconds: float | None
) -> list[Planned]:
    if scale == "paper":
        return [Planned(experiment, seconds) for experiment in experiments]
    if (plan := plans[scale]) is None:
        raise no_form(scale)
    return plan(experiments)


def _chosen(
    modules: dict[str, list[Planned]], conditions: Sequence[str]
) -> dict[str, list[Planned]]:
    """The runs of all modules that meet all conditions; modules without any are left out."""
    every = [(name, run) for name, members in modules.items() for run in members]
    found: dict[str, list[Planned]] = {} if conditions else {name: [] for name in modules}
    for name, run in filtered(every, conditions, lambda pair: pair[1].experiment):
        found.setdefault(name, []).append(run)
    return found


def _left(
    runs: list[Planned], budget: int | None, force: bool, folders: RunFolders
) -> list[Planned]:
    """The runs that are left, or all with --force; of these, those that fit into a budget."""
    left = [run for run in runs if force or not _is_done(folders[run.experiment])]
    if budget is None:
        return left
    if seconds_of(left) is None:
        raise OptexpError(
            "--budget needs the time of every run, which is not known here: add --scale small.",
            code="budget-needs-small",
        )
    return within(left, budget)


def _is_done(folder: RunFolder) -> bool:
    """Whether a run is done; a damaged one is left to do, which says what is wrong with it."""
    return folder.damage() is None and to_read(folder).is_finished()


def _announce(runs: list[Planned], context: Context) -> None:
    seconds = seconds_of(runs)
    about = "" if seconds is None else f", about {duration(seconds)} on two cores"
    number = "1 run is" if len(runs) == 1 else f"{len(runs)} runs are"
    context.say(f"{number} left{about if runs else ''}.")


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


def _said(package: str, name: str, what: str) -> Any:
    """A value that a module declares beside its list of experiments; None if it does not."""
    return getattr(sys.modules.get(f"{package}.{name}"), what, None)


def discover(package: str) -> dict[str, list[Experiment]]:
    """Name below the package of every module that declares `experiments` -> its list.

    A package inside it that has a command line of its own, a `__main__`, is counted there.
    """
    root = importlib.import_module(package)
    names = [module.name for module in pkgutil.walk_packages(root.__path__, f"{package}.")]
    mains = [name.removesuffix("__main__") for name in names if name.endswith(".__main__")]
    apart = tuple(prefix for prefix in mains if prefix != f"{package}.")
    found = {}
    for name in names:
        if not name.endswith("__main__") and not f"{name}.".startswith(apart):
            declared = getattr(importlib.import_module(name), "experiments", None)
            if isinstance(declared, list):
                found[name.removeprefix(f"{package}.")] = declared
    return dict(sorted(found.items()))


def _by_group(
    modules: dict[str, list[Planned]],
) -> list[tuple[str, str, list[Planned]]]:
    return [
        (module, group, [run for run in runs if run.experiment.group == group])
        for module, runs in modules.items()
        for group in dict.fromkeys(run.experiment.group for run in runs)
    ]


def _as_json(modules: dict[str, list[Planned]]) -> list[dict[str, object]]:
    return [
        {
            "module": module,
            "group": group,
            "n": len(members),
            "experiments": [listed(run.experiment) for run in members],
        }
        for module, group, members in _by_group(modules)
    ]


def _groups(
    package: str, runs: dict[str, list[Planned]], context: Context
) -> Iterator[group_list.Group]:
    """The groups of all modules, with what the workspace has of them."""
    lacking = missing_data(
        (run.experiment for members in runs.values() for run in members),
        context.settings.workspace,
    )
    for module, group, members in _by_group(runs):
        yield group_list.Group(
            module,
            group,
            [context.folders.to_read(run.experiment).status() for run in members],
            not any(run.experiment in lacking for run in members),
            seconds_of(members),
            group_list.figure_of(_said(package, module, "__doc__")),
        )


def _show_lines(package: str, runs: dict[str, list[Planned]], context: Context) -> None:
    for line in group_list.lines(_groups(package, runs, context)):
        context.say(line)


def _show_groups(
    package: str, runs: dict[str, list[Planned]], context: Context, scale: str
) -> None:
    _show_lines(package, runs, context)
    context.say()
    context.say(
        "data: yes if they are on this machine or generated; --prepare downloads the others."
    )
    if scale == "small":
        context.say("minutes: about how long all runs of the group take on two cores.")
    else:
        context.say(
            "minutes: about how long all runs take on two cores; for ? see --list --scale small."
        )
