"""`--plot`: the figures of groups, from what is recorded."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from optexp_jax.cli.context import Context
from optexp_jax.cli.part_names import part_name, safe
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.results import release_ids
from optexp_jax.results.fields import RATE, tuned_fields
from optexp_jax.results.load import Results, load_results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from optexp_jax.plotting.options import HowBest, Log


def plot_by(
    context: Context,
    chosen: Sequence[Experiment],
    args: argparse.Namespace,
    every: Sequence[Experiment],
) -> int:
    """Draw what the options of a command line ask for.

    Args:
        context: where the results are.
        chosen: the experiments that it asks for.
        args: the options.
        every: the experiments that it chose from.

    Raises:
        OptexpError: options that exclude each other.
    """
    if args.step is not None and not args.use_steps:
        raise OptexpError(
            "--step works only with --use_steps: add --use_steps, or use --epoch.",
            code="step-needs-use-steps",
        )
    if args.epoch is not None and args.use_steps:
        raise OptexpError(
            "--epoch and --use_steps cannot be combined: use --use_steps --step N.",
            code="epoch-with-use-steps",
        )
    if args.compare and args.source != "local":
        raise OptexpError(
            "--compare already draws your own runs and the released ones: leave out --source.",
            code="compare-with-source",
        )
    if args.compare and (args.log or args.facet):
        raise OptexpError(
            "--compare chooses its own axes and panels: leave out --log and --facet.",
            code="compare-with-axes",
        )
    wanted = Wanted(
        perclass=args.perclass or args.plot_perclass,
        epoch=args.epoch,
        step=args.step,
        x="step" if args.use_steps or all(e.steps for e in chosen) else "epoch",
        source=args.source,
        compare=args.compare,
        metric=args.metric,
        log=args.log,
        facet=args.facet,
        formats=tuple(dict.fromkeys(args.format)),
        parts={
            g: part_name(args, chosen, every, g) for g in dict.fromkeys(e.group for e in chosen)
        },
    )
    for path in draw(context, chosen, wanted, notes=True):
        context.say(str(path))
    return 0


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The figures to draw of a group.

    Args:
        perclass: the figure by class, instead of the grid and the best runs.
        epoch: last epoch to show, None for all.
        step: last step to show, None for all.
        x: the axis over time, `step` or `epoch`.
        source: whose runs, a source of `load_results`.
        compare: a source whose runs are drawn beside ours, None for no other.
        metric: what is drawn, a column or its name without `tr_`; None for the training loss.
        log: which axes are logarithmic, `x`, `y`, `both` or `none`; None for the usual ones.
        facet: a field with a panel for each value, None for none.
        formats: endings of the files.
        parts: of groups of which a part is drawn, what it is called.
    """

    perclass: bool
    epoch: int | None = None
    step: int | None = None
    x: str = "step"
    source: str = "local"
    compare: str | None = None
    metric: str | None = None
    log: Log = None
    facet: str | None = None
    formats: tuple[str, ...] = ("pdf", "png")
    parts: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def column(self) -> str | None:
        """The column that is drawn, None for the training loss."""
        from optexp_jax.plotting.options import with_split

        return None if self.metric is None else with_split(self.metric)

    def suffix(self, group: str) -> str:
        """The ending of the file names of a group."""
        parts = [self.parts[group]] if self.parts.get(group) else []
        parts += [self.column] if self.column else []
        parts += [self.source] if self.source != "local" else []
        parts += [f"against_{self.compare}"] if self.compare else []
        parts += [safe(f"facet={self.facet}")] if self.facet else []
        parts += [f"log={self.log}"] if self.log else []
        parts += [f"epoch{self.epoch}"] if self.epoch else [f"step{self.step}"] if self.step else []
        return "".join(f"_{part}" for part in parts)


def draw(
    context: Context, experiments: Sequence[Experiment], wanted: Wanted, notes: bool = False
) -> list[Path]:
    """Write the figures of every group.

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
            file = f"{name}{wanted.suffix(group)}"
            paths += plotting.save(figure, folder, file, wanted.formats)
    return paths


def _load(members: Sequence[Experiment], context: Context, source: str) -> list[Results]:
    workspace = context.settings.workspace
    results = [load_results(e, workspace, source) for e in members]
    if source == "paper":
        release_ids.require_here(results, workspace)
    return results


def _figures(results: list[Results], until: int | None, wanted: Wanted) -> dict[str, Figure]:
    from optexp_jax import plotting

    column, x = wanted.column, wanted.x
    how: HowBest = {"log": wanted.log, "facet": wanted.facet}
    if wanted.perclass:
        return {"per_class": plotting.plot_per_class(results, None, until, column, x, **how)}
    figures = {
        "final_loss": plotting.plot_final_loss(
            results, until, column, log=_with_rates(wanted.log), facet=wanted.facet
        ),
        "best_runs": plotting.plot_best_runs(results, until, column, x, **how),
    }
    return figures | _of_several_fields(results, until, wanted)


def _with_rates(log: Log) -> Log:
    """The same for figures over learning rates, whose axis is linear only if none shall be else."""
    return "both" if log == "y" else log


def _of_several_fields(
    results: list[Results], until: int | None, wanted: Wanted
) -> dict[str, Figure]:
    """A heat map for each pair of tuned fields, and the best runs by each beside the rate."""
    from optexp_jax import plotting

    figures: dict[str, Figure] = {}
    for x, y in plotting.tuned_pairs(results):
        figures[safe(f"heat_map_{x}_{y}")] = plotting.plot_heat_map(
            results, x, y, step=until, metric=wanted.column, log=wanted.log
        )
    tuned = tuned_fields(r.experiment.optimizer for r in results)
    for field in tuned if len(tuned) > 1 else ():
        if field != RATE:
            over = [other for other in tuned if other != field]
            figures[safe(f"best_runs_by_{field}")] = plotting.plot_best_runs(
                results, until, wanted.column, wanted.x, over=over, log=wanted.log,
                facet=wanted.facet,
            )  # fmt: skip
    return figures


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
    from optexp_jax.results.selection import steps_of_epoch

    if wanted.step is not None or wanted.epoch is None:
        return wanted.step
    if not any(len(r.table) for r in results):
        raise OptexpError(
            "There are no results yet: run --local first.", code="nothing-recorded-yet"
        )
    steps = steps_of_epoch(results, wanted.epoch)
    if len(set(steps)) > 1:
        raise OptexpError(
            f"Epoch {wanted.epoch} ends at different steps in these problems, from step "
            f"{min(steps)} to step {max(steps)}: use --use_steps --step N.",
            code="epochs-differ",
            epoch=wanted.epoch,
            low=min(steps),
            high=max(steps),
        )
    return steps[0]
