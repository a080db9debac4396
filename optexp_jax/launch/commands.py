"""What each option of the command line does."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.results.load import Results, load_results
from optexp_jax.results.store import RunFolder

if TYPE_CHECKING:
    import argparse

    from optexp_jax.launch.display import Display
    from optexp_jax.launch.local import Options


@dataclasses.dataclass(frozen=True)
class Context:
    """What every command knows.

    Args:
        settings: the environment.
        console: where to print.
        command: how the program was called, such as `python -m experiments.linreg`.
        scale: suffix of the commands that are shown, ` --scale small` or nothing.
    """

    settings: Settings
    console: Console
    command: str
    scale: str = ""

    def say(self, text: str = "") -> None:
        """Print a line as it is."""
        self.console.print(escape(text), highlight=False, soft_wrap=True)

    def run(self, experiments: Sequence[Experiment], options: Options) -> int:
        """Run experiments with a progress display; returns the exit code."""
        from optexp_jax.launch.local import run_local

        with self._display() as display:
            outcome = run_local(experiments, self.settings, options, display)
        if outcome.stopped:
            self.say("Stopped. What was recorded is kept; the same command goes on from there.")
            return 128 + outcome.stopped
        return 1 if outcome.failed or outcome.missing else 0

    def _display(self) -> contextlib.AbstractContextManager[Display]:
        """Bars for a person at a terminal, lines for a file."""
        from optexp_jax.launch.display import RichDisplay
        from optexp_jax.launch.log_display import LogDisplay

        if self.console.is_terminal:
            return RichDisplay(self.console)
        return contextlib.nullcontext(LogDisplay(self.say))


def options_of(args: argparse.Namespace) -> Options:
    """How experiments are run, from the options of a command line."""
    from optexp_jax.launch.local import Options

    return Options(
        force=args.force,
        pack=args.pack,
        micro_batch=args.micro_batch,
        checkpoint_seconds=args.checkpoint_every,
        devices=args.devices_per_run or 1,
    )


def test(context: Context, experiment: Experiment, options: Options) -> int:
    """Run the first experiment and explain the result."""
    from optexp_jax.launch.pack_run import describe
    from optexp_jax.launch.tables import first_and_last
    from optexp_jax.training.pack import Pack

    context.say(f"Experiment {experiment.short_id}: {describe(Pack((experiment,)))}")
    folder = RunFolder(context.settings.workspace, experiment)
    before = "missing" if options.force else folder.status()
    code = context.run([experiment], options)
    results = load_results(experiment, context.settings.workspace)
    if code or not len(results.table):
        return code
    if before == results.status:
        context.say(f"It is {before} already; --force runs it again.")
    context.console.print(first_and_last(results))
    context.say(f"Results:  {folder.path}")
    for path in draw(context, [experiment], perclass=experiment.per_class):
        if path.suffix == ".png":
            context.say(f"Picture:  {path}")
    if context.settings.wandb_enabled and context.settings.wandb_mode == "offline":
        context.say(f"Mirror:   wandb sync {context.settings.workspace / 'wandb'}")
    context.say("Next:")
    perclass = " --perclass" if experiment.per_class else ""
    for action in ("--local", f"--plot{perclass}"):
        context.say(f"  {context.command} {action}{context.scale}")
    return 0


def report(context: Context, experiments: Sequence[Experiment]) -> int:
    """Show what is done, running, diverged, failed and missing."""
    from optexp_jax.launch.slurm.report import states
    from optexp_jax.launch.tables import report as table

    workspace = context.settings.workspace
    folders = [RunFolder(workspace, e) for e in experiments]
    joined, sentences = states(experiments, [f.status() for f in folders], workspace)
    statuses = list(zip(experiments, joined, strict=True))
    for group in dict.fromkeys(e.group for e in experiments):
        context.say(f"{group} in {context.settings.workspace}")
        context.console.print(table([(e, s) for e, s in statuses if e.group == group]))
    for folder, (experiment, status) in zip(folders, statuses, strict=True):
        if status == "failed":
            context.say(f"{experiment.short_id} failed: {folder.read_status().get('reason')}")
        elif status == "damaged":
            context.say(f"{experiment.short_id}: {folder.damage()}")
    for sentence in sentences:
        context.say(sentence)
    return 0


def prepare(context: Context, experiments: Sequence[Experiment]) -> int:
    """Bring the data of experiments here; 2 if some cannot be brought."""
    from optexp_jax.launch import data
    from optexp_jax.launch.display import preparing

    datasets = data.data_of(experiments)
    with preparing(context.console) as report:
        ready, failures = data.prepare(datasets, context.settings.workspace, report)
    for name in dict.fromkeys(type(dataset).__name__ for dataset in ready):
        context.say(f"{name} is ready.")
    return data.tell(failures)


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
        raise OptexpError("Nothing is recorded yet: run --local first.")
    return step_of_epoch(results, epoch)
