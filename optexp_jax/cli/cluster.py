"""`--slurm` (or another scheduler), `--cancel`, and the task that a scheduler starts."""

from __future__ import annotations

import argparse
import dataclasses
import re
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from optexp_jax.cli import cluster_options
from optexp_jax.cli.context import Context
from optexp_jax.cli.options import run_options
from optexp_jax.cli.prepare import prepare
from optexp_jax.experiment import Experiment
from optexp_jax.runner.preparation import missing_data
from optexp_jax.schedulers.known import all_schedulers
from optexp_jax.schedulers.resources import Resources
from optexp_jax.schedulers.submission import tasks_of_runs
from optexp_jax.training.pack import Pack

if TYPE_CHECKING:
    from optexp_jax.schedulers.submit import Request


def submit(
    context: Context,
    experiments: Sequence[Experiment],
    args: argparse.Namespace,
    profile: str | None,
) -> int:
    """Submit the runs of a grid that are left; returns the exit code.

    Args:
        context: of the command line.
        experiments: the grid.
        args: its options, `scheduler` among them.
        profile: name of the resources that the module asks for.

    Raises:
        OptexpError: an impossible value, or the scheduler refuses.
    """
    from optexp_jax.schedulers.submit import left_to_send, send

    resources = cluster_options.resources(args, context.settings, profile)
    if not args.dry_run:
        # Without an answer, queued runs would be submitted twice.
        all_schedulers()[args.scheduler].states()
    left, busy = left_to_send(experiments, context.folders, args.force)
    if not left:
        context.say(
            f"There is nothing to submit: {busy} runs are queued or running, the others are done."
        )
        return 0
    unprepared = missing_data(left, context.settings.workspace)
    if not args.dry_run:
        code = prepare(context, left)
        if code:
            return code
    elif unprepared:
        context.say(f"{next(iter(unprepared.values()))} Packs are shown as if all runs fitted.")
    request = request_of(context, left, args, resources, _program())
    context.console.print(_table(request.packs, resources.per_gpu))
    if args.dry_run:
        return _show(context, request, busy)
    for submission in send(request, name_of(context.command)):
        manifest = submission.manifest
        context.say(
            f"Job {submission.job}: {len(manifest.tasks)} tasks, {len(manifest.runs)} runs. "
            f"Script, manifest and logs: {submission.folder}"
        )
    if busy:
        context.say(f"{busy} runs are already queued or running.")
    for action, what in (("--report", "show how far they are"), ("--cancel", "cancel them")):
        context.say(f"  {context.command} {action}{context.scale}    {what}")
    return 0


def request_of(
    context: Context,
    left: Sequence[Experiment],
    args: argparse.Namespace,
    resources: Resources,
    program: Sequence[str],
) -> Request:
    """Make the request for some runs, in packs that fit if their data are here.

    Args:
        context: of the command line.
        left: the runs, of one module.
        args: options of the command line.
        resources: of each task.
        program: what a task calls, as arguments of Python.
    """
    from optexp_jax.schedulers.submit import Request, packs_to_send

    settings = context.settings
    options = run_options(args, devices=resources.devices_per_run)
    most = resources.pack if options.pack == "auto" else options.pack
    if most == "auto" and missing_data(left, settings.workspace):
        most = len(left)
    sizes = dataclasses.replace(options, pack=most)
    return Request(
        scheduler=all_schedulers()[args.scheduler],
        packs=packs_to_send(left, resources, sizes, settings.workspace),
        resources=resources,
        command=(sys.executable, *program, "--scale", args.scale),
        options=options,
        workspace=settings.workspace,
        environment=settings.as_environment(),
    )


def _show(context: Context, request: Request, busy: int) -> int:
    (manifest, *others) = request.manifests(request.resources.max_array)
    folder = (
        context.settings.workspace.absolute() / request.scheduler.name / name_of(context.command)
    )
    print(request.script_in(folder, manifest))
    runs = sum(len(pack.experiments) for pack in request.packs)
    arrays = f" in {1 + len(others)} arrays, of which the first is shown" if others else ""
    tasks = sum(len(m.tasks) for m in (manifest, *others))
    context.say(f"Dry run: this command would submit {runs} runs as {tasks} tasks{arrays}.")
    if busy:
        context.say(f"{busy} runs are already queued or running.")
    return 0


def _table(packs: Sequence[Pack], per_task: int) -> Table:
    from optexp_jax.runner.pack_run import describe

    table = Table()
    for name in ("task", "group", "pack"):
        table.add_column(name, overflow="fold")
    table.add_column("runs", justify="right")
    for i, pack in enumerate(packs):
        group = pack.experiments[0].group
        cells = (str(i // per_task), group, describe(pack), str(len(pack.experiments)))
        table.add_row(*map(escape, cells))
    return table


def _program() -> list[str]:
    """How this program was called, as arguments of Python."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return (
        ["-m", spec.name.removesuffix(".__main__")] if spec else [str(Path(sys.argv[0]).absolute())]
    )


def name_of(command: str) -> str:
    """A short name of a module or script, one word, for folders and for squeue.

    >>> name_of("python -m experiments.toy_models.balanced_x")
    'balanced_x'
    """
    name = Path(shlex.split(command)[-1].removesuffix(".py")).name.rpartition(".")[2]
    return re.sub(r"[^\w-]", "_", name) or "job"


def cancel(context: Context, experiments: Sequence[Experiment]) -> int:
    """Cancel the tasks of a grid; recorded results are kept."""
    tasks = tasks_of_runs(context.settings.workspace)
    found = [t for t in (tasks.get(e.run_key) for e in experiments) if t]
    schedulers = {t.submission.scheduler.name: t.submission.scheduler for t in found}
    for scheduler in (schedulers or all_schedulers()).values():
        scheduler.states()  # says so where it is not
    alive = sorted({t.task for t in found if t.is_alive})
    if not alive:
        context.say("None of these runs is queued or running.")
        return 0
    for name, scheduler in schedulers.items():
        mine = {t.task for t in found if t.is_alive and t.submission.scheduler.name == name}
        scheduler.cancel(sorted(mine))
    names = ", ".join(map(str, alive[:5])) + ", ..." * (len(alive) > 5)
    context.say(f"Cancelled {len(alive)} tasks: {names}. Recorded results are kept.")
    return 0


def task(context: Context, experiments: Sequence[Experiment], path: Path, process: int) -> int:
    """Run the part of a manifest that belongs to a process of this task; returns the exit code."""
    from optexp_jax.runner.log_display import LogDisplay
    from optexp_jax.schedulers.worker import run_pack

    display = LogDisplay(lambda line: print(line, flush=True))
    outcomes = run_pack(path, process, experiments, context.settings, display)
    stopped = next((o.stopped for o in outcomes if o.stopped), None)
    if stopped is not None:
        display.say(f"Stopped by {signal.Signals(stopped).name}. Recorded results are kept.")
        return 128 + stopped
    return 1 if any(o.failed or o.missing for o in outcomes) else 0
