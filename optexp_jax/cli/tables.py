"""Results as tables on the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from rich.markup import escape
from rich.table import Table

from optexp_jax.experiment import Experiment
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


def report(statuses: Sequence[tuple[Experiment, str]]) -> Table:
    """How many runs are in which state, by optimizer and learning rate."""
    shown = [s for s in STATUSES if any(status == s for _, status in statuses)]
    table = Table(show_footer=True)
    total = Counter(status for _, status in statuses)
    for name, footer in (("optimizer", "all"), ("momentum", ""), ("learning rate", "")):
        table.add_column(name, footer=footer)
    for name in shown:
        table.add_column(name, footer=str(total[name]), justify="right")
    for key, counts in _by_rate(statuses).items():
        table.add_row(*key, *(str(counts[name] or "") for name in shown))
    return table


def _by_rate(
    statuses: Sequence[tuple[Experiment, str]],
) -> dict[tuple[str, str, str], Counter[str]]:
    counts: dict[tuple[str, str, str], Counter[str]] = {}
    for experiment, status in statuses:
        optimizer = experiment.optimizer
        momentum = f"{momentum_of(optimizer):g}"
        key = (kind_of(optimizer), momentum, str(optimizer.learning_rate))
        counts.setdefault(key, Counter())[status] += 1
    return counts


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
