"""`list [GROUP]`: the groups of a workspace, or the runs of one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from optexp_jax.cli.results.context import ResultsContext
from optexp_jax.cli.tables import STATUSES
from optexp_jax.cli.where import among
from optexp_jax.identity import encode
from optexp_jax.optim import has_rate
from optexp_jax.results import changes
from optexp_jax.results.selection import main_metric, method_of
from optexp_jax.results.sizes import in_words, size_of, sizes_by_group
from optexp_jax.results.summary import Summary, changed_since, method_names, summary_of
from optexp_jax.results.workspace import RecordedRuns, recorded_runs

_COLORS = {"done": "green", "failed": "red", "damaged": "red", "diverged": "yellow"}


def show_list(context: ResultsContext, group: str | None, where: Sequence[str] = ()) -> int:
    """A line for each group, or for each run of a group, of those that meet all conditions."""
    recorded = among(recorded_runs(context.workspace, group), where)
    if group is None:
        sizes = _sizes_of(recorded) if where else sizes_by_group(context.workspace)
        _show_groups(context, recorded, sizes)
    else:
        _show_runs(context, group, recorded)
    if not context.json:
        context.tell_unread(recorded.unread)
    return 0


# -- groups ---------------------------------------------------------------------------------------


def _sizes_of(recorded: RecordedRuns) -> dict[str, dict[str, int]]:
    """Bytes of these runs and of those that cannot be read, by group."""
    sizes: dict[str, dict[str, int]] = {}
    for run in (*recorded.runs, *recorded.unread):
        kinds = sizes.setdefault(run.path.parent.name, {"runs": 0})
        kinds["runs"] += size_of(run.path)
    return sizes


def _show_groups(
    context: ResultsContext, recorded: RecordedRuns, sizes: dict[str, dict[str, int]]
) -> None:
    states: dict[str, Counter[str]] = {group: Counter() for group in sizes}
    for folder in context.watched(recorded.runs, "runs"):
        states[folder.experiment.group][folder.status()] += 1
    for run in recorded.unread:
        states[run.path.parent.name]["unread"] += 1
    if context.json:
        listed = [_group(name, states[name], sizes[name]) for name in sizes]
        context.emit({"groups": listed, "unread": _unread(recorded)})
        return
    if not sizes:
        context.say(f"There are no runs in the workspace {context.workspace} yet.")
        return
    context.console.print(_group_table(states, sizes))
    for sentence in changes.sentences(map(changed_since, recorded.runs)):
        context.say(sentence)
    context.say("Details of one group: optexp results list GROUP")


def _group(name: str, states: Counter[str], sizes: dict[str, int]) -> dict[str, Any]:
    return {"group": name, "runs": states.total(), "states": dict(states), "bytes": sizes}


def _group_table(states: dict[str, Counter[str]], sizes: dict[str, dict[str, int]]) -> Table:
    total = Counter[str]()
    for counts in states.values():
        total += counts
    shown = [name for name in (*STATUSES, "unread") if total[name]]
    table = Table(show_footer=len(states) > 1)
    table.add_column("group", "all", overflow="fold")
    for name in ("runs", *shown):
        footer = total.total() if name == "runs" else total[name]
        table.add_column(name, str(footer), justify="right")
    every = sum(sum(kinds.values()) for kinds in sizes.values())
    table.add_column("size", in_words(every), justify="right", no_wrap=True)
    for group, counts in states.items():
        numbers = [str(counts[name] or "") for name in shown]
        size = in_words(sum(sizes[group].values()))
        table.add_row(escape(group), str(counts.total()), *numbers, size)
    return table


def _unread(recorded: RecordedRuns) -> list[dict[str, Any]]:
    return [{"path": run.path, "sentence": run.sentence} for run in recorded.unread]


# -- runs -----------------------------------------------------------------------------------------


def _show_runs(context: ResultsContext, group: str, recorded: RecordedRuns) -> None:
    summaries = [summary_of(folder) for folder in context.watched(recorded.runs, "runs")]
    if context.json:
        runs = [as_json(summary) for summary in summaries]
        context.emit({"group": group, "runs": runs, "unread": _unread(recorded)})
        return
    context.console.print(_run_table(group, summaries))
    for sentence in changes.sentences(summary.changed for summary in summaries):
        context.say(sentence)
    context.tell(s.problem for s in summaries if s.problem)


def as_json(summary: Summary) -> dict[str, Any]:
    """A run in a line, for programs."""
    experiment, said = summary.folder.experiment, summary.details
    return {
        "group": experiment.group,
        "id": experiment.id,
        "path": summary.folder.path,
        "optimizer": encode(experiment.optimizer),
        "learning_rate": str(experiment.optimizer.learning_rate),
        "lr": float(experiment.optimizer.learning_rate),
        "seed": experiment.seed,
        "status": summary.status,
        "metric": main_metric(experiment),
        "best": summary.best,
        "final": summary.final,
        "step": said.get("step"),
        "total_steps": said.get("total_steps"),
        "started": said.get("started"),
        "updated": said.get("updated"),
        "bytes": summary.bytes,
        "problem": summary.problem,
        "changed": summary.changed,
    }


def _run_table(group: str, summaries: list[Summary]) -> Table:
    # Without lines between columns it fits into 80.
    title = escape(f"{group}: training loss")
    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("id", no_wrap=True)
    table.add_column("method", overflow="fold")
    for name in ("rate", "seed"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status")
    for name in ("best", "final", "size"):
        table.add_column(name, justify="right", no_wrap=True)
    names = method_names(s.folder.experiment.optimizer for s in summaries)
    for summary in summaries:
        experiment = summary.folder.experiment
        optimizer = experiment.optimizer
        color = _COLORS.get(summary.status, "default")
        table.add_row(
            experiment.short_id,
            escape(names[method_of(optimizer)]),
            str(optimizer.learning_rate) if has_rate(optimizer) else "",
            str(experiment.seed),
            f"[{color}]{summary.status}[/]",
            number(summary.best),
            number(summary.final),
            in_words(summary.bytes),
        )
    return table


def number(value: float) -> str:
    """A loss for a table; nothing where none was recorded.

    >>> number(0.123456), number(float("inf")), number(float("nan"))
    ('0.1235', 'inf', '')
    """
    return "" if math.isnan(value) else f"{value:.4g}"
