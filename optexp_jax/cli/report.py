"""`--report`: which runs are done, running, queued, failed and missing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from optexp_jax.cli.context import Context
from optexp_jax.cli.tables import Reported
from optexp_jax.cli.tables import report as table
from optexp_jax.cli.where import shown
from optexp_jax.experiment import Experiment
from optexp_jax.optim import kind_of
from optexp_jax.results import changes
from optexp_jax.results.fields import RATE, tuned_fields, values_of
from optexp_jax.results.load import Results, read_results
from optexp_jax.results.run_folders import to_read
from optexp_jax.results.selection import STABLE_FACTOR, best_runs, main_metric, method_of, untuned
from optexp_jax.results.status import FINISHED
from optexp_jax.results.store import RunFolder
from optexp_jax.results.summary import changed_since
from optexp_jax.runner.failures import which_failed
from optexp_jax.schedulers.report import states

_STAR = (
    "* best learning rate of the method: the lowest final loss among runs whose loss never "
    f"exceeded {STABLE_FACTOR:g} times the initial loss"
)


def report(context: Context, experiments: Sequence[Experiment]) -> int:
    """Show which runs are done, running, diverged, failed and missing."""
    workspace = context.settings.workspace
    folders = [context.folders[e] for e in experiments]
    joined, sentences = states(experiments, [to_read(f).status() for f in folders], workspace)
    statuses = list(zip(experiments, joined, strict=True))
    for group in dict.fromkeys(e.group for e in experiments):
        context.say(f"{group} (workspace {context.settings.workspace})")
        reported = with_losses(context, [(e, s) for e, s in statuses if e.group == group])
        context.console.print(table(reported))
        if any(run.is_best for run in reported):
            context.say(_STAR)
        for sentence in _best_of_all(reported):
            context.say(sentence)
    for sentence in _failures(zip(folders, statuses, strict=True)):
        context.say(sentence)
    changed = [changed_since(to_read(folder)) for folder in folders]
    for sentence in (*sentences, *changes.sentences(changed)):
        context.say(sentence)
    return 0


def _failures(runs: Iterable[tuple[RunFolder, tuple[Experiment, str]]]) -> Iterator[str]:
    """A sentence for each reason why runs failed, and for each damaged run."""
    reasons: dict[str, list[Experiment]] = {}
    for folder, (experiment, status) in runs:
        if status == "failed":
            reasons.setdefault(str(folder.read_status().get("reason")), []).append(experiment)
        elif status == "damaged":
            yield f"{experiment.short_id}: {folder.damage()}"
    for reason, failed in reasons.items():
        yield f"{which_failed(failed)}: {reason}"


def with_losses(context: Context, statuses: Sequence[tuple[Experiment, str]]) -> list[Reported]:
    """The runs of a group with their training losses, where they have ended."""
    results = {
        e: read_results(context.folders.to_read(e), by_class=False)
        for e, status in statuses
        if status in FINISHED
    }
    best, of_all = _best(list(results.values()))
    return [
        Reported(e, status, *_losses(results[e]), e in best, e in of_all)
        if e in results
        else Reported(e, status)
        for e, status in statuses
    ]


def _losses(results: Results) -> tuple[float, float]:
    losses = results.table[main_metric(results.experiment)].to_numpy(float)
    finite = losses[np.isfinite(losses)]
    final = float(losses[-1]) if results.status == "done" else math.inf
    return final, float(finite.min()) if len(finite) else math.inf


def _best_of_all(reported: Sequence[Reported]) -> list[str]:
    """A sentence on each method of which more than the learning rate was tuned."""
    sentences = []
    for run in reported:
        if run.is_best_of_all:
            e = run.experiment
            fields = tuned_fields(
                r.experiment.optimizer for r in reported if _alike(r.experiment, e)
            )
            values = ", ".join(f"{f} {shown(values_of(e.optimizer)[f])}" for f in fields)
            sentences.append(f"{kind_of(e.optimizer)} is best with {values}")
    return list(dict.fromkeys(sentences))


def _alike(one: Experiment, other: Experiment) -> bool:
    """Whether two runs have the same method, apart from tuned fields, and the same problem."""
    same = untuned(one.optimizer, None) == untuned(other.optimizer, None)
    return same and one.problem == other.problem


def _best(results: Sequence[Results]) -> tuple[set[Experiment], set[Experiment]]:
    """The runs at the best learning rate of their method, and those with the best of all fields.

    Among those of one problem and length. What has a single value has no best one.
    """
    comparable: dict[tuple[object, ...], list[Results]] = {}
    for r in results:
        e = r.experiment
        comparable.setdefault((e.problem, e.epochs, e.steps), []).append(r)
    found: tuple[set[Experiment], set[Experiment]] = (set(), set())
    for members in comparable.values():
        optimizers = dict.fromkeys(r.experiment.optimizer for r in members)
        for best, over in zip(found, ((RATE,), None), strict=True):
            # Of all fields: of one more than the learning rate.
            tuned = [o if over else method_of(o) for o in optimizers]
            several = Counter(untuned(o, over) for o in dict.fromkeys(tuned))
            for method, runs in best_runs(members, over=over).items():
                if several[untuned(method, over)] > 1:
                    best |= {r.experiment for r in runs}
    return found
