"""Results as tables on the terminal."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rich.markup import escape
from rich.table import Table

from optexp_jax.experiment import Experiment
from optexp_jax.grid import differing_fields, flat_fields
from optexp_jax.optim import kind_of, momentum_of
from optexp_jax.results.load import Results
from optexp_jax.results.selection import main_metric
from optexp_jax.runner.planning import Planned, seconds_of

STATUSES = (
    "done", "diverged", "running", "queued", "preempted", "interrupted", "failed", "damaged",
    "missing",
)  # fmt: skip


def first_and_last(results: Results) -> Table:
    """Loss at the first and the last recorded row: overall, and by frequency group."""
    metric = main_metric(results.experiment)
    last_step = int(results.table["step"].iloc[-1])
    table = Table(title=escape(f"{metric} (training data)"))
    table.add_column("examples")
    for name in ("at step 0", f"at step {last_step}", "what is left"):
        table.add_column(name, justify="right")
    first, last = results.table[metric].iloc[[0, -1]]
    table.add_row("all", *_change(first, last), end_section=True)
    for name, (start, end) in _by_group(results).items():
        table.add_row(name, *_change(start, end))
    return table


def _change(start: float, end: float) -> tuple[str, str, str]:
    left = f"{end / start:.0%}" if np.isfinite(end / start) else "diverged"
    return f"{start:.4f}", f"{end:.4f}", left


def _by_group(results: Results) -> dict[str, tuple[float, float]]:
    """Description of each group that is not empty, most frequent first -> first and last mean."""
    metric = f"{main_metric(results.experiment)}PerClass"
    if not len(results.per_class.get(metric, ())):
        return {}
    counts = results.class_counts
    groups = [g for g in results.experiment.problem.dataset.groups(counts) if len(g)]
    means = results.group_means(metric, groups, [0, -1])
    return {
        describe_group(counts[group]): (float(start), float(end))
        for group, start, end in zip(groups, *means, strict=True)
        if not np.isnan(start)  # no example of the group is measured
    }


def describe_group(counts: np.ndarray) -> str:
    """A group of classes in words.

    >>> describe_group(np.array([10, 10])), describe_group(np.array([7, 5]))
    ('2 classes of 10 examples', '2 classes of 5 to 7 examples')
    """
    low, high = int(counts.min()), int(counts.max())
    classes = "1 class" if len(counts) == 1 else f"{len(counts)} classes"
    examples = "1 example" if high == 1 else f"{high} examples"
    return f"{classes} of {examples}" if low == high else f"{classes} of {low} to {examples}"


class Reported(NamedTuple):
    """A run of `--report`."""

    experiment: Experiment
    status: str
    final: float = math.nan  # training loss, if it has ended
    best: float = math.nan
    is_best: bool = False  # whether it is at the best learning rate of its method
    is_best_of_all: bool = False  # and has the best of every other field that was tuned


def report(runs: Sequence[Reported]) -> Table:
    """How many runs are in which state, and their losses, by method and learning rate.

    Every field that differs between methods is a column. Of several seeds the worst loss is shown.
    """
    shown = [s for s in STATUSES if any(run.status == s for run in runs)]
    fields = differing_fields([run.experiment for run in runs])
    losses = any(not math.isnan(run.final) for run in runs)
    table = Table(show_footer=True)
    total = Counter(run.status for run in runs)
    names = [path.removeprefix("optimizer.").removeprefix("problem.") for path in fields]
    for name in ("optimizer", "momentum", *names, "learning rate"):
        table.add_column(name, footer="all" if name == "optimizer" else "")
    for name in shown:
        table.add_column(name, footer=str(total[name]), justify="right")
    for name in ("best loss", "final loss") if losses else ():
        table.add_column(name, justify="right")
    for key, members in _by_rate(runs, fields).items():
        counts = Counter(run.status for run in members)
        cells = [str(counts[name] or "") for name in shown]
        table.add_row(*key, *cells, *(_losses(members) if losses else ()))
    return table


def _by_rate(
    runs: Sequence[Reported], fields: Sequence[str]
) -> dict[tuple[str, ...], list[Reported]]:
    """Runs that differ in their seeds only; methods in their order, rates from small to large."""
    methods: dict[tuple[str, ...], list[Reported]] = {}
    for run in runs:
        optimizer, flat = run.experiment.optimizer, flat_fields(run.experiment)
        cells = [format_value(flat.get(path, "")) for path in fields]
        key = (kind_of(optimizer), f"{momentum_of(optimizer):g}", *cells)
        methods.setdefault(key, []).append(run)
    found: dict[tuple[str, ...], list[Reported]] = {}
    for key, members in methods.items():
        for run in sorted(members, key=lambda run: run.experiment.optimizer.learning_rate):
            rate = str(run.experiment.optimizer.learning_rate)
            found.setdefault((*key, rate), []).append(run)
    return found


def format_value(value: object) -> str:
    """The value of a field in a cell."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _losses(runs: Sequence[Reported]) -> tuple[str, str]:
    """The best and the final loss of the worst seed, with a star at the best learning rate."""
    ended = [run for run in runs if not math.isnan(run.final)]
    if not ended:
        return "", ""
    worst = max(ended, key=lambda run: run.final)
    star = " *" if any(run.is_best for run in runs) else "  "
    return f"{worst.best:.4g}", f"{worst.final:.4g}{star}"


def listed(experiment: Experiment) -> dict[str, object]:
    """An experiment as `--list --json` shows it."""
    return {
        "id": experiment.id,
        "optimizer": kind_of(experiment.optimizer),
        "learning_rate": str(experiment.optimizer.learning_rate),
        "momentum": momentum_of(experiment.optimizer),
        "seed": experiment.seed,
        "epochs": experiment.epochs,
        "steps": experiment.steps,
    }


def plan_table(runs: Sequence[Planned]) -> Table:
    """Runs and minutes of each group, and the sums."""
    table = Table(show_footer=True)
    groups: dict[str, list[Planned]] = {}
    for run in runs:
        groups.setdefault(run.experiment.group, []).append(run)
    table.add_column("group", "all", overflow="fold")
    table.add_column("runs", str(len(runs)), justify="right")
    table.add_column("minutes", _minutes(seconds_of(runs)), justify="right")
    for group, members in groups.items():
        table.add_row(group, str(len(members)), _minutes(seconds_of(members)))
    return table


def _minutes(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds / 60:.1f}"
