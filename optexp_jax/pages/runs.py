"""Make the table of runs of a page: one row for each, finished or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from optexp_jax.optim import Optimizer, has_rate
from optexp_jax.pages.numbers import short
from optexp_jax.results.changes import changed_classes
from optexp_jax.results.load import Results
from optexp_jax.results.selection import has_diverged, is_stable, main_metric, method_of

# Key of a row, title, whether it is a number.
COLUMNS = (
    ("method", "Optimizer", False),
    ("x", "Learning rate", True),
    ("final", "Last loss", True),
    ("status", "Status", False),
    ("note", "Remark", False),
    ("seed", "Seed", True),
    ("step", "Steps", True),
    ("id", "Id", False),
)


def rows(
    results: Sequence[Results],
    methods: Mapping[Optimizer, dict[str, Any]],
    chosen: Mapping[Optimizer, list[Results]],
) -> list[dict[str, Any]]:
    """Return a row for each run, in the order of the results."""
    places = {method: i for i, method in enumerate(methods)}
    ids = {r.experiment.id for runs in chosen.values() for r in runs}
    return [_row(r, places, r.experiment.id in ids) for r in results]


def _row(results: Results, places: Mapping[Optimizer, int], chosen: bool) -> dict[str, Any]:
    experiment = results.experiment
    optimizer = experiment.optimizer
    rate = optimizer.learning_rate
    return {
        "status": results.status,
        "method": places[method_of(optimizer)],
        "rate": str(rate) if has_rate(optimizer) else "",
        "x": float(rate) if has_rate(optimizer) else None,
        "seed": experiment.seed,
        "final": _final(results),
        "note": "; ".join(filter(None, (_note(results, chosen), _changed(results)))),
        "step": None if results.table.empty else int(results.table["step"].iloc[-1]),
        "id": experiment.id,
    }


def _final(results: Results) -> float | None:
    metric = main_metric(results.experiment)
    if results.table.empty or metric not in results.table or has_diverged(results):
        return None
    values = results.table[metric].dropna()
    return short(float(values.iloc[-1])) if len(values) else None


def _note(results: Results, chosen: bool) -> str:
    reason = str(results.details.get("reason") or "")
    if reason:
        return reason
    if results.status in ("done", "diverged") and not results.table.empty:
        if has_diverged(results):
            return f"diverged after step {int(results.table['step'].iloc[-1])}"
        if not is_stable(results):
            return "went beyond ten times its start"
    return "chosen" if chosen else ""


def _changed(results: Results) -> str:
    """Write a remark on a run that was recorded with other code of a class."""
    names = changed_classes(results.experiment, results.details)
    return f"of old code: {', '.join(names)}" if names else ""


def counted(results: Sequence[Results]) -> dict[str, int]:
    """Count the runs of each status, most first."""
    return dict(Counter(r.status for r in results).most_common())


def made_between(results: Sequence[Results]) -> tuple[str, str] | None:
    """Return the days of the first start of a run and of the last sign of one."""
    starts = [str(r.details["started"]) for r in results if r.details.get("started")]
    ends = [str(r.details["updated"]) for r in results if r.details.get("updated")]
    return (min(starts)[:10], max(ends)[:10]) if starts and ends else None


def versions(results: Sequence[Results]) -> list[dict[str, Any]]:
    """Count runs by the versions and settings that they used."""
    found: Counter[str] = Counter()
    for r in results:
        named: Any = r.details.get("versions") or {}
        settings: Any = r.details.get("settings") or {}
        parts = [f"{name} {version}" for name, version in named.items()]
        parts += [f"{name}={value}" for name, value in settings.items()]
        found[", ".join(parts) or "not written down"] += 1
    return [{"text": text, "runs": runs} for text, runs in found.most_common()]
