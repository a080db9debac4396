"""`--slurm` for all modules of a package; submits each module as its own command does."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from optexp_jax.cli import cluster_options
from optexp_jax.cli.cluster import name_of, request_of
from optexp_jax.cli.context import Context
from optexp_jax.cli.prepare import prepare
from optexp_jax.experiment import Experiment
from optexp_jax.runner.preparation import missing_data
from optexp_jax.schedulers.known import all_schedulers
from optexp_jax.schedulers.resources import Resources

if TYPE_CHECKING:
    from optexp_jax.schedulers.submit import Request


@dataclasses.dataclass(frozen=True)
class Module:
    """The declarations of a module.

    Args:
        name: as `python -m` takes it.
        experiments: its list, at the scale that is asked for.
        profile: what its runs need on a cluster, None where it does not say.
    """

    name: str
    experiments: Sequence[Experiment]
    profile: str | None


def submit_all(context: Context, modules: Sequence[Module], args: argparse.Namespace) -> int:
    """Submit the runs of all modules that are left; returns the exit code, 2 if data are missing.

    Args:
        context: of the command line.
        modules: of the package.
        args: its options, `scheduler` among them.

    Raises:
        OptexpError: an impossible value, before anything is sent; or the scheduler refuses a
            module, those before it stay sent.
    """
    from optexp_jax.schedulers.submit import left_to_send

    needed = {
        m.name: cluster_options.resources(args, context.settings, m.profile, m.name)
        for m in modules
    }
    if not args.dry_run:
        all_schedulers()[args.scheduler].states()
    every = [e for m in modules for e in m.experiments]
    left, busy = left_to_send(every, context.folders, args.force)
    code = 0 if args.dry_run or not left else prepare(context, left)
    absent = missing_data(left, context.settings.workspace)
    if absent and args.dry_run:
        context.say(
            f"The data of {len(absent)} runs are missing: packs are shown as if all fitted."
        )
    elif absent:
        context.say(f"{len(absent)} runs are left out, since their data are missing.")
        left = [e for e in left if e not in absent]
    requests = _requests(context, modules, left, needed, args)
    runs = _show(context, requests, args) if args.dry_run else _send(context, requests)
    verb = "Dry run: this command would submit" if args.dry_run else "Submitted"
    context.say(f"{verb} {runs} runs. {busy} are already queued or running.")
    _say_next(context, args)
    return code


def _requests(
    context: Context,
    modules: Sequence[Module],
    left: Sequence[Experiment],
    needed: dict[str, Resources],
    args: argparse.Namespace,
) -> Iterator[tuple[Module, Request]]:
    """The request of every module; a run of two modules belongs to the first."""
    waiting = {e.run_key: e for e in left}
    for module in modules:
        mine = [waiting.pop(e.run_key) for e in module.experiments if e.run_key in waiting]
        if mine:
            program = ("-m", module.name)
            yield module, request_of(context, mine, args, needed[module.name], program)


def _send(context: Context, requests: Iterator[tuple[Module, Request]]) -> int:
    from optexp_jax.schedulers.submit import send

    runs = 0
    for module, request in requests:
        for submission in send(request, name_of(f"python -m {module.name}")):
            manifest = submission.manifest
            runs += len(manifest.runs)
            context.say(
                f"{module.name}: job {submission.job}, {len(manifest.tasks)} tasks, "
                f"{len(manifest.runs)} runs, in {submission.folder}"
            )
    return runs


def _show(
    context: Context, requests: Iterator[tuple[Module, Request]], args: argparse.Namespace
) -> int:
    table = Table()
    for name in ("module", "profile", "time"):
        table.add_column(name, overflow="fold")
    for name in ("tasks", "runs"):
        table.add_column(name, justify="right")
    total = 0
    for module, request in requests:
        manifests = request.manifests(request.resources.max_array)
        tasks, runs = (sum(len(of) for of in found) for found in (
            [m.tasks for m in manifests], [m.runs for m in manifests],
        ))  # fmt: skip
        profile = cluster_options.profile_of(args, module.profile) or ""
        cells = (module.name, profile, request.resources.time, str(tasks), str(runs))
        table.add_row(*map(escape, cells))
        total += runs
    context.console.print(table)
    return total


def _say_next(context: Context, args: argparse.Namespace) -> None:
    if args.dry_run:
        script = f"<module> --{args.scheduler} --dry-run{context.scale}"
        context.say(f"Show the script of one module: {context.command}.{script}")
        return
    for action, what in (("--report", "show how far they are"), ("--cancel", "cancel them")):
        context.say(f"  {context.command} {action}{context.scale}    {what}")
