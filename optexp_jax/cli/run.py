"""`--test`, `--local` and `--single`: runs here and now."""

from __future__ import annotations

from optexp_jax.cli.context import Context
from optexp_jax.cli.plot import Wanted, draw
from optexp_jax.cli.tables import first_and_last
from optexp_jax.experiment import Experiment
from optexp_jax.results.load import read_results
from optexp_jax.runner.options import RunOptions
from optexp_jax.runner.pack_run import describe
from optexp_jax.training.pack import Pack


def test(context: Context, experiment: Experiment, options: RunOptions) -> int:
    """Run the first experiment and explain the result."""
    context.say(f"Experiment {experiment.short_id}: {describe(Pack((experiment,)))}")
    before = "missing" if options.force else context.folders.to_read(experiment).status()
    code = context.run_experiments([experiment], options)
    folder = context.folders.to_read(experiment)
    results = read_results(folder)
    if code or not len(results.table):
        return code
    if before == results.status:
        context.say(f"It is {before} already; --force runs it again.")
    context.console.print(first_and_last(results))
    context.say(f"Results:  {folder.path}")
    for path in draw(context, [experiment], Wanted(perclass=experiment.per_class)):
        if path.suffix == ".png":
            context.say(f"Picture:  {path}")
    if context.settings.wandb_enabled and context.settings.wandb_mode == "offline":
        context.say(f"Publish:  wandb sync {context.settings.workspace / 'wandb'}")
    context.say("Next:")
    perclass = " --perclass" if experiment.per_class else ""
    for action in ("--local", f"--plot{perclass}"):
        context.say(f"  {context.command} {action}{context.scale}")
    return 0
