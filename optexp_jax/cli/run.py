"""`--test`: run one experiment and explain the result."""

from __future__ import annotations

from collections.abc import Sequence

from optexp_jax.cli.context import Context
from optexp_jax.cli.part_names import TEST
from optexp_jax.cli.plot import Wanted, draw
from optexp_jax.cli.tables import first_and_last
from optexp_jax.experiment import Experiment
from optexp_jax.results.load import read_results
from optexp_jax.results.status import FINISHED
from optexp_jax.runner.options import RunOptions


def test(
    context: Context,
    experiment: Experiment,
    options: RunOptions,
    every: Sequence[Experiment],
    announcement: str,
) -> int:
    """Run the first experiment of a list and explain the result.

    Args:
        context: of the command line.
        experiment: the one to run.
        options: how to run it.
        every: the whole list.
        announcement: says what is run and about how long it takes.
    """
    before = "missing" if options.force else context.folders.to_read(experiment).status()
    if before in FINISHED:
        context.say(f"Run {experiment.short_id} is {before} already; --force runs it again.")
    else:
        context.say(announcement)
    code = context.run_experiments([experiment], options)
    folder = context.folders.to_read(experiment)
    results = read_results(folder)
    if code or not len(results.table):
        return code
    context.console.print(first_and_last(results))
    context.say(f"Results: {folder.path}")
    alone = all(e == experiment for e in every if e.group == experiment.group)
    part = "" if alone else TEST
    wanted = Wanted(perclass=experiment.per_class, parts={experiment.group: part})
    for path in draw(context, [experiment], wanted):
        if path.suffix == ".png":
            context.say(f"Figure:  {path}")
    if context.settings.wandb_enabled and context.settings.wandb_mode == "offline":
        context.say(f"Upload:  wandb sync {context.settings.workspace / 'wandb'}")
    context.say("Next steps:")
    perclass = " --perclass" if experiment.per_class else ""
    for action in ("--local", f"--plot{perclass}"):
        context.say(f"  {context.command} {action}{context.scale}")
    return 0
