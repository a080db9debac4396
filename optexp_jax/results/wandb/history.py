"""Read what wandb gets of a run: rows, a summary, and the files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from optexp_jax.frequency import mean_by_group
from optexp_jax.results import checked_files, rows
from optexp_jax.results.wandb.description import RunDescription

_COUNTS = "class_counts.npz"
_NOT_SENT = (".lock", "error.txt")


class Recorded(NamedTuple):
    """Hold the content of the files of a run."""

    rows: rows.Rows
    counts: dict[str, np.ndarray]  # examples by class: of the data, and of what is measured on


def read(folder: Path, key: str, said: Mapping[str, Any], after: int | None = None) -> Recorded:
    """Read the rows of a run so far.

    Args:
        folder: of the run.
        key: id of its experiment.
        said: its status.
        after: a step; rows up to it may be left out.

    Raises:
        DamagedError: a file is damaged.
        FileNotFoundError: its process is replacing or merging its files.
    """
    merged = rows.merged_files(folder, said)
    found = rows.read(folder, key, merged, after=after)
    if merged:
        found = found.up_to(said.get("step", 0))
    content = checked_files.read_bytes(folder / _COUNTS)
    return Recorded(found, checked_files.arrays_from(folder / _COUNTS, content))


def history(
    recorded: Recorded, groups: Sequence[Sequence[int]], steps: np.ndarray | None = None
) -> Iterator[dict[str, float]]:
    """Yield a dictionary for each recorded step: scalars, and means of frequency groups.

    Args:
        recorded: the files.
        groups: classes of each group.
        steps: those wanted, None for all.
    """
    table = recorded.rows.table
    wanted = table if steps is None else table.loc[np.isin(table["step"].to_numpy(), steps)]
    means = _group_means(recorded, [np.asarray(group, np.int64) for group in groups])
    by_step = means.to_dict("index")
    for row in wanted.to_dict("records"):
        yield {str(k): v for k, v in row.items()} | by_step.get(row["step"], {})


def _group_means(recorded: Recorded, groups: Sequence[np.ndarray]) -> pd.DataFrame:
    columns = {}
    for name, array in recorded.rows.per_class.items():
        counts = recorded.counts.get(name.partition("_")[0])
        if counts is None:  # version 0.1.0 kept those of the data alone
            counts = np.where(np.isnan(array[0]), 0, recorded.counts["train"])
        means = mean_by_group(array, counts, groups)
        columns |= {f"{name}/group_{g}": means[:, g] for g in range(len(groups))}
    return pd.DataFrame(columns, index=recorded.rows.steps)


def thinned(recorded: Recorded, most: int) -> np.ndarray:
    """Choose the steps of at most so many rows: the last one, and those with class means first."""
    every = recorded.rows.table["step"].to_numpy()
    steps = np.union1d(recorded.rows.steps, every[-1:]) if len(recorded.rows.steps) else every
    if len(steps) <= most:
        return steps
    return steps[np.unique(np.linspace(0, len(steps) - 1, most).round().astype(int))]


def summary(recorded: Recorded, metric: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Summarise a run: best and last loss, last row, and how it ended."""
    table = recorded.rows.table
    found = {"status": said["status"], "step": int(said.get("step", 0))}
    validation = metric.replace("tr_", "va_", 1)
    for name in (metric, validation):
        if name in table and len(table):
            finite = table[name].to_numpy()[np.isfinite(table[name].to_numpy())]
            found[f"best_{name}"] = float(finite.min()) if len(finite) else float("inf")
            found[f"final_{name}"] = float(table[name].iloc[-1])
    return found


def files_of(folder: Path) -> list[Path]:
    """List the files of an ended run that another workspace needs to have it, too."""
    found = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]
    return sorted(p for p in found if p.name not in _NOT_SENT)


def fingerprint(folder: Path) -> str:
    """Hash the rows of an ended run: equal hashes mean equal rows, bit for bit."""
    digest = hashlib.sha256()
    for name in rows.MERGED.values():
        path = folder / name
        digest.update(name.encode())
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def columns(
    description: RunDescription, recorded: Recorded, said: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Return the config of an ended run; `rows` and `results` show who has all of it."""
    found = {name: said.get(name) for name in ("status", "total_steps", "host", "versions")}
    return (
        description.config
        | found
        | {
            "examples": int(recorded.counts["train"].sum()),
            "rows": len(recorded.rows.table),
            "columns": [str(name) for name in recorded.rows.table.columns],
            "results": fingerprint(folder),
        }
    )
