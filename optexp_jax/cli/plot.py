"""`--plot`: the figures of groups, from what is recorded."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from optexp_jax.cli.context import Context
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.results import release_ids
from optexp_jax.results.load import Results, load_results

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    if args.compare and args.source != "local":
        raise OptexpError(
            "--compare shows ours and theirs: leave out --source.", code="compare-with-source"
        )
    wanted = Wanted(
        perclass=args.perclass or args.plot_perclass,
        epoch=args.epoch,
        step=args.step,
        x="step" if args.use_steps or all(e.steps for e in chosen) else "epoch",
        source=args.source,
        compare=args.compare,
        metric=args.metric,
    )
    for path in draw(context, chosen, wanted, notes=True):
        context.say(str(path))
    return 0


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What to draw of a group.

    Args:
        perclass: the figure by class, instead of the grid and the best runs.
        epoch: last epoch to show, None for all.
        step: last step to show, None for all.
        x: the axis over time, `step` or `epoch`.
        source: whose runs, a source of `load_results`.
        compare: a source whose runs are drawn beside ours, None for no other.
        metric: what is drawn, a column or its name without `tr_`; None for the training loss.
    """

    perclass: bool
    epoch: int | None = None
    step: int | None = None
    x: str = "step"
    source: str = "local"
    compare: str | None = None
    metric: str | None = None

    @property
    def column(self) -> str | None:
        """The column that is drawn."""
        if self.metric is None or self.metric.startswith(("tr_", "va_")):
            return self.metric
        return f"tr_{self.metric}"

    @property
    def suffix(self) -> str:
        """What file names end with."""
        parts = [self.column] if self.column else []
        parts += [self.source] if self.source != "local" else []
        parts += [f"against_{self.compare}"] if self.compare else []
        parts += [f"epoch{self.epoch}"] if self.epoch else [f"step{self.step}"] if self.step else []
        return "".join(f"_{part}" for part in parts)


def draw(
    context: Context, experiments: Sequence[Experiment], wanted: Wanted, notes: bool = False
) -> list[Path]:
    """Write the figures of every group as PDF and PNG.

    Args:
        context: where the results are.
        experiments: what to draw; those that are not run are left out.
        wanted: which figures, and of whose runs.
        notes: whether to say what is missing.
    """
    from optexp_jax import plotting

    paths: list[Path] = []
    for group in dict.fromkeys(e.group for e in experiments):
        members = [e for e in experiments if e.group == group]
        results = _load(members, context, wanted.source)
        until = _horizon(results, wanted)
        if wanted.compare:
            theirs = _load(members, context, wanted.compare)
            figures = _compared(results, theirs, until, wanted)
        else:
            figures = _figures(results, until, wanted)
        note = plotting.missing_note(results, until)
        if notes and note:
            context.say(f"{group}: {note}")
        folder = context.settings.workspace / "plots" / group
        for name, figure in figures.items():
            paths += plotting.save(figure, folder, f"{name}{wanted.suffix}")
    return paths


def _load(members: Sequence[Experiment], context: Context, source: str) -> list[Results]:
    workspace = context.settings.workspace
    results = [load_results(e, workspace, source) for e in members]
    if source == "paper":
        release_ids.require_here(results, workspace)
    return results


def _figures(results: list[Results], until: int | None, wanted: Wanted) -> dict[str, Figure]:
    from optexp_jax import plotting

    if wanted.perclass:
        return {"per_class": plotting.per_class(results, None, until, wanted.column, wanted.x)}
    return {
        "final_loss": plotting.final_against_rate(results, until, wanted.column),
        "best_runs": plotting.best_over_time(results, until, wanted.column, wanted.x),
    }


def _compared(
    ours: list[Results], theirs: list[Results], until: int | None, wanted: Wanted
) -> dict[str, Figure]:
    from optexp_jax import plotting

    sides = {"ours": ours, f"{wanted.compare}": theirs}
    compared = plotting.Compared(sides, until, wanted.x, wanted.column)
    if wanted.perclass:
        return {"per_class": compared.per_class()}
    return {"final_loss": compared.final_against_rate(), "best_runs": compared.best_over_time()}


def _horizon(results: Sequence[Results], wanted: Wanted) -> int | None:
    from optexp_jax.results.selection import step_of_epoch

    if wanted.step is not None or wanted.epoch is None:
        return wanted.step
    if not any(len(r.table) for r in results):
        raise OptexpError(
            "Nothing is recorded yet: run --local first.", code="nothing-recorded-yet"
        )
    return step_of_epoch(results, wanted.epoch)
