"""The results of `benchmarks.gpu` as tables of Markdown."""

from __future__ import annotations

from typing import Any


def markdown(result: dict[str, Any]) -> str:
    """All sections that were measured, a table for each kind."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for name, entries in result.items():
        kinds.setdefault(name.partition("/")[0], []).extend(entries)
    parts = []
    for name, entries in kinds.items():
        rows = [entry for entry in entries if "ended" not in entry]
        parts.append(f"## {name}\n")
        if name == "versions":
            parts += [f"- {key}: {value}" for key, value in (rows[0] if rows else {}).items()]
        elif rows:
            parts.append(_table(rows))
        parts += [f"\n{e['section']} ended early: {e['why']}" for e in entries if "ended" in e]
        parts.append("")
    return "\n".join(parts)


def _table(rows: list[dict[str, Any]]) -> str:
    keys = [k for k in dict.fromkeys(k for row in rows for k in row) if not _nested(rows, k)]
    lines = [f"| {' | '.join(keys)} |", f"|{'---|' * len(keys)}"]
    lines += [f"| {' | '.join(_shown(row.get(key)) for key in keys)} |" for row in rows]
    return "\n".join(lines)


def _nested(rows: list[dict[str, Any]], key: str) -> bool:
    return any(isinstance(row.get(key), dict) for row in rows)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
