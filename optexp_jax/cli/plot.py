"""`--plot`: the figures of groups, from what is recorded."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from optexp_jax.cli.context import Context
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.results.load import Results, load_results


def plot_by(context: Context, chosen: Sequence[Experiment], args: argparse.Namespace) -> int:
    """Draw what the options of a command line ask for.

    Raises:
        OptexpError: options that exclude each other.
    """
    if args.step is not None and not args.use_steps:
        raise OptexpError(
            "--step counts with --use_steps: add it, or use --epoch.", code="step-needs-use-steps"
        )
    if args.epoch is not None and args.use_steps:
        raise OptexpError(
            "--epoch and --use_steps exclude each other: use --use_steps --step N.",
            code="epoch-with-use-steps",
        )
    by_step = args.use_steps or all(e.steps for e in chosen)
    perclass = args.perclass or args.plot_perclass
    return plot(context, chosen, perclass, args.epoch, args.step, by_step)


def plot(
    context: Context,
    experiments: Sequence[Experiment],
    perclass: bool,
    epoch: int | None,
    step: int | None,
    by_step: bool,
) -> int:
    """Draw the figures of every group, and name what they lack."""
    for path in draw(context, experiments, perclass, epoch, step, by_step, notes=True):
        context.say(str(path))
    return 0


def draw(
    context: Context,
    experiments: Sequence[Experiment],
    perclass: bool,
    epoch: int | None = None,
    step: int | None = None,
    by_step: bool = True,
    notes: bool = False,
) -> list[Path]:
    """Write the figures of every group as PDF and PNG.

    Args:
        context: where the results are.
        experiments: what to draw; those that are not run are left out.
        perclass: the figure by class, instead of the grid and the best runs.
        epoch: last epoch to show, None for all.
        step: last step to show, None for all.
        by_step: x axis in steps instead of epochs.
        notes: whether to say what is missing.
    """
    from optexp_jax import plotting

    paths: list[Path] = []
    for group in dict.fromkeys(e.group for e in experiments):
        members = [e for e in experiments if e.group == group]
        results = [load_results(e, context.settings.workspace) for e in members]
        until = _horizon(results, epoch, step)
        x = "step" if by_step else "epoch"
        if perclass:
            figures = {"per_class": plotting.per_class(results, step=until, x=x)}
        else:
            figures = {
                "final_loss": plotting.final_against_rate(results, step=until),
                "best_runs": plotting.best_over_time(results, step=until, x=x),
            }
        note = plotting.missing_note(results, until)
        if notes and note:
            context.say(f"{group}: {note}")
        suffix = f"_epoch{epoch}" if epoch is not None else f"_step{step}" if step else ""
        folder = context.settings.workspace / "plots" / group
        for name, figure in figures.items():
            paths += plotting.save(figure, folder, f"{name}{suffix}")
    return paths


def _horizon(results: Sequence[Results], epoch: int | None, step: int | None) -> int | None:
    from optexp_jax.results.selection import step_of_epoch

    if step is not None or epoch is None:
        return step
    if not any(len(r.table) for r in results):
        raise OptexpError(
            "Nothing is recorded yet: run --local first.", code="nothing-recorded-yet"
        )
    return step_of_epoch(results, epoch)
