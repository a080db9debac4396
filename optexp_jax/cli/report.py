"""`--report`: what is done, running, queued, failed and missing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optexp_jax.cli.context import Context
from optexp_jax.cli.tables import Reported
from optexp_jax.cli.tables import report as table
from optexp_jax.experiment import Experiment
from optexp_jax.optim import Optimizer
from optexp_jax.results.load import Results, read_results
from optexp_jax.results.run_folders import to_read
from optexp_jax.results.selection import best_runs, main_metric, method_of
from optexp_jax.results.status import FINISHED
from optexp_jax.schedulers.report import states


def report(context: Context, experiments: Sequence[Experiment]) -> int:
    """Show what is done, running, diverged, failed and missing."""
    workspace = context.settings.workspace
    folders = [context.folders[e] for e in experiments]
    joined, sentences = states(experiments, [to_read(f).status() for f in folders], workspace)
    statuses = list(zip(experiments, joined, strict=True))
    for group in dict.fromkeys(e.group for e in experiments):
        context.say(f"{group} in {context.settings.workspace}")
        reported = with_losses(context, [(e, s) for e, s in statuses if e.group == group])
        context.console.print(table(reported))
        if any(run.is_best for run in reported):
            context.say("* the best learning rate of its method, by the final loss")
    for folder, (experiment, status) in zip(folders, statuses, strict=True):
        if status == "failed":
            context.say(f"{experiment.short_id} failed: {folder.read_status().get('reason')}")
        elif status == "damaged":
            context.say(f"{experiment.short_id}: {folder.damage()}")
    for sentence in sentences:
        context.say(sentence)
    return 0


def with_losses(context: Context, statuses: Sequence[tuple[Experiment, str]]) -> list[Reported]:
    """The runs of a group with their training losses, where they have ended."""
    results = {
        e: read_results(context.folders.to_read(e), by_class=False)
        for e, status in statuses
        if status in FINISHED
    }
    best = _best(list(results.values()))
    return [
        Reported(e, status, *_losses(results[e]), e in best)
        if e in results
        else Reported(e, status)
        for e, status in statuses
    ]


def _losses(results: Results) -> tuple[float, float]:
    losses = results.table[main_metric(results.experiment)].to_numpy(float)
    finite = losses[np.isfinite(losses)]
    final = float(losses[-1]) if results.status == "done" else math.inf
    return final, float(finite.min()) if len(finite) else math.inf


def _is_of(method: Optimizer, results: Results) -> bool:
    """Whether a run is of a method."""
    return method_of(results.experiment.optimizer) == method


def _best(results: Sequence[Results]) -> set[Experiment]:
    """The runs at the best learning rate of their method, among those of one problem and length.

    A method with a single learning rate has no best one.
    """
    comparable: dict[tuple[object, ...], list[Results]] = {}
    for r in results:
        e = r.experiment
        comparable.setdefault((e.problem, e.epochs, e.steps), []).append(r)
    return {
        run.experiment
        for members in comparable.values()
        for method, runs in best_runs(members).items()
        if len({r.experiment.optimizer for r in members if _is_of(method, r)}) > 1
        for run in runs
    }
