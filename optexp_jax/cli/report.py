"""`--report`: what is done, running, queued, failed and missing."""

from __future__ import annotations

from collections.abc import Sequence

from optexp_jax.cli.context import Context
from optexp_jax.cli.tables import report as table
from optexp_jax.experiment import Experiment
from optexp_jax.results.run_folders import to_read
from optexp_jax.schedulers.report import states


def report(context: Context, experiments: Sequence[Experiment]) -> int:
    """Show what is done, running, diverged, failed and missing."""
    workspace = context.settings.workspace
    folders = [context.folders[e] for e in experiments]
    joined, sentences = states(experiments, [to_read(f).status() for f in folders], workspace)
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
