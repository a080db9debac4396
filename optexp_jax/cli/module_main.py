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
from optexp_jax.forms import option_of


def main(
    experiments: Sequence[Experiment],
    resources: str | None = None,
    small: Small | None = None,
    argv: Sequence[str] | None = None,
    *,
    slurm: str | None = None,
    wandb_project: str | None = None,
    wandb_entity: str | None = None,
    seconds: float | None = None,
) -> NoReturn:
    """Run the command line of a list of experiments; ends the process.

    Args:
        experiments: the list at paper scale; `--test` runs the first one.
        resources: profile with the resources of a run on a cluster, see `profiles.toml`.
        small: makes the small form of the list, for `--scale small`; a `SmallForm` may also know
            the medium form.
        argv: arguments; None for those of the process.
        slurm: the old name of `resources`.
        wandb_project: wandb project of these experiments; None for the one in the environment.
            `with use_wandb_project(...)` around the call does the same.
        wandb_entity: wandb user or team; None for the one in the environment.
        seconds: about how long a run takes at paper scale on two cores; `--test` says it.

    Raises:
        SystemExit: 0 if all went well, 1 if a run failed, 2 for a mistake of the user or output
            that cannot be written, and 128 plus the number of the signal that stopped it.
    """
    with use_wandb_project(wandb_project, wandb_entity) if wandb_project else nullcontext():
        raise SystemExit(
            guarded(lambda: _main(experiments, resources or slurm, small, argv, seconds))
        )


def _main(
    experiments: Sequence[Experiment],
    resources: str | None,
    small: Small | None,
    argv: Sequence[str] | None,
    seconds: float | None,
) -> int:
    from optexp_jax.cli import cluster, plot, prepare, report, run
    from optexp_jax.cli.context import Context

    command = _command()
    parser = parser_of(command)
    args = parser.parse_args(argv)
    _require_action(parser, args)
    context = Context(Settings.from_env(), make_console(), command, option_of(args.scale))
    every = at_scale(experiments, small, args.scale)
    if args.task:
        return cluster.task(context, every, args.task, args.process)
    chosen = chosen_by(experiments, small, args)
    if args.scheduler:
        return cluster.submit(context, _sent(chosen, args), args, resources)
    if args.dry_run:
        from optexp_jax.cli.dry_run import dry_run

        return dry_run(context, _sent(chosen, args), run_options(args), args)
    if args.cancel:
        return cluster.cancel(context, chosen)
    if args.prepare:
        return prepare.prepare(context, chosen)
    if args.report:
        return report.report(context, chosen)
    if wandb.is_asked(args):
        return wandb.act(context, chosen, args)
    if args.plot or args.plot_perclass:
        return plot.plot_by(context, chosen, args, every)
    if args.test:
        said = _announcement(experiments, small, chosen, args.scale, seconds)
        return run.test(context, chosen[0], run_options(args), every, said)
    if args.single is not None:
        chosen = [numbered(chosen, args.single)]
    code = context.run_experiments(chosen, run_options(args))
    return report.report(context, chosen) or code


def _announcement(
    experiments: Sequence[Experiment],
    small: Small | None,
    chosen: Sequence[Experiment],
    scale: str,
    seconds: float | None,
) -> str:
    """What `--test` says first."""
    from optexp_jax.cli.estimate import announcement, seconds_at

    first, total = chosen[0], len(chosen)
    if scale != "paper":
        return announcement(first, total, seconds_at(scale, experiments, small, first))
    return announcement(first, total, seconds, seconds_at("small", experiments, small))


def _require_action(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    sends = args.test or args.single is not None
    other = args.local or args.prepare or args.report or args.cancel
    other = other or args.plot or args.plot_perclass or wandb.is_asked(args)
    if not (sends or other or args.scheduler or args.task or args.dry_run):
        parser.error(
            "one of --test --local --single --prepare --report --plot --sync --download "
            f"--clear-download {cluster_options.senders(' ')} --cancel --dry-run is required"
        )
    if args.scheduler and other:
        raise OptexpError(
            f"--{args.scheduler} combines only with --test or --single N: leave out the other "
            "actions.",
            code="scheduler-goes-alone",
            scheduler=args.scheduler,
        )
    if args.dry_run and not args.scheduler and other and not args.local:
        raise OptexpError(
            "--dry-run says what runs take: give it alone, or with --test, --local, --single N or "
            f"{cluster_options.senders(' or ')}.",
            code="dry-run-of-no-runs",
        )
    if args.gpu and (args.scheduler or not args.dry_run):
        raise OptexpError(
            "--gpu names the GPU of --dry-run: add --dry-run, or leave out --gpu.",
            code="gpu-needs-dry-run",
        )
    if args.no_compile and (args.scheduler or not args.dry_run):
        raise OptexpError(
            "--no-compile is for --dry-run: add --dry-run, or leave out --no-compile.",
            code="no-compile-needs-dry-run",
        )
    cluster_options.require_sender(args, alone=("dry-run",))


def _sent(chosen: list[Experiment], args: argparse.Namespace) -> list[Experiment]:
    """The experiments to submit to a scheduler, or to forecast."""
    if args.test:
        return chosen[:1]
    return chosen if args.single is None else [numbered(chosen, args.single)]


def _command() -> str:
    """How this process was called."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None:
        return f"python -m {spec.name.removesuffix('.__main__')}"
    return f"python {shlex.quote(Path(sys.argv[0]).name)}"
