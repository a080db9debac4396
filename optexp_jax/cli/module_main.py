"""The command line of an experiment module: `main(experiments)`."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn

from optexp_jax.cli import cluster_options, wandb
from optexp_jax.cli.console import make_console
from optexp_jax.cli.guard import guarded
from optexp_jax.cli.options import parser_of, run_options
from optexp_jax.cli.selection import Small, at_scale, chosen_by, numbered
from optexp_jax.config import Settings, use_wandb_project
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment


def main(
    experiments: Sequence[Experiment],
    resources: str | None = None,
    small: Small | None = None,
    argv: Sequence[str] | None = None,
    *,
    slurm: str | None = None,
    wandb_project: str | None = None,
    wandb_entity: str | None = None,
) -> NoReturn:
    """The command line of a list of experiments; ends the process.

    Args:
        experiments: at paper scale; the first one is what `--test` runs.
        resources: profile of what a run needs on a cluster, see `profiles.toml`.
        small: gives the small form of the list, for `--scale small`.
        argv: arguments, those of the process unless given.
        slurm: the old name of `resources`.
        wandb_project: of these experiments, None for what the environment says; `with
            use_wandb_project(...)` around the call means the same.
        wandb_entity: wandb user or team, None for what the environment says.

    Raises:
        SystemExit: 0 if all went well, 1 if a run failed, 2 for a mistake of the user or output
            that cannot be written, and 128 plus the signal if one stopped it.
    """
    with use_wandb_project(wandb_project, wandb_entity) if wandb_project else nullcontext():
        raise SystemExit(guarded(lambda: _main(experiments, resources or slurm, small, argv)))


def _main(
    experiments: Sequence[Experiment],
    resources: str | None,
    small: Small | None,
    argv: Sequence[str] | None,
) -> int:
    from optexp_jax.cli import cluster, plot, prepare, report, run
    from optexp_jax.cli.context import Context

    command = _command()
    parser = parser_of(command)
    args = parser.parse_args(argv)
    _require_action(parser, args)
    scale = " --scale small" if args.scale == "small" else ""
    context = Context(Settings.from_env(), make_console(), command, scale)
    if args.task:
        every = at_scale(experiments, small, args.scale)
        return cluster.task(context, every, args.task, args.process)
    chosen = chosen_by(experiments, small, args)
    if args.scheduler:
        return cluster.submit(context, _sent(chosen, args), args, resources)
    if args.cancel:
        return cluster.cancel(context, chosen)
    if args.prepare:
        return prepare.prepare(context, chosen)
    if args.report:
        return report.report(context, chosen)
    if wandb.is_asked(args):
        return wandb.act(context, chosen, args)
    if args.plot or args.plot_perclass:
        return plot.plot_by(context, chosen, args)
    if args.test:
        return run.test(context, chosen[0], run_options(args))
    if args.single is not None:
        chosen = [numbered(chosen, args.single)]
    code = context.run_experiments(chosen, run_options(args))
    return report.report(context, chosen) or code


def _require_action(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    sends = args.test or args.single is not None
    other = args.local or args.prepare or args.report or args.cancel
    other = other or args.plot or args.plot_perclass or wandb.is_asked(args)
    if not (sends or other or args.scheduler or args.task):
        parser.error(
            "one of --test --local --single --prepare --report --plot --sync --download "
            f"--clear-download {cluster_options.senders(' ')} --cancel is required"
        )
    if args.scheduler and other:
        raise OptexpError(
            f"--{args.scheduler} goes alone, or with --test or --single N: leave the others out.",
            code="scheduler-goes-alone",
            scheduler=args.scheduler,
        )
    cluster_options.require_sender(args)


def _sent(chosen: list[Experiment], args: argparse.Namespace) -> list[Experiment]:
    """What is sent to a scheduler."""
    if args.test:
        return chosen[:1]
    return chosen if args.single is None else [numbered(chosen, args.single)]


def _command() -> str:
    """How this process was called."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None:
        return f"python -m {spec.name.removesuffix('.__main__')}"
    return f"python {shlex.quote(Path(sys.argv[0]).name)}"
