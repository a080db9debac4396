"""Check that the files of a run are unchanged and hold every row of its schedule.

The status `done` alone does not count. Version 0.1.0 kept no hashes, so for its runs the rows are
counted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from optexp_jax.errors import unreadable
from optexp_jax.experiment import Experiment
from optexp_jax.results import checked_files, rows
from optexp_jax.results.rows import MERGED, Rows, merged_files
from optexp_jax.results.status import FINISHED
from optexp_jax.schedule import Schedule


def entry_of(path: Path, digest: str) -> dict[str, Any]:
    """Return the entry in the status for a file that was just written: hash, bytes and time."""
    stat = path.stat()
    return {"sha256": digest, "bytes": stat.st_size, "modified": stat.st_mtime_ns}


def require_rows(
    folder: Path,
    experiment: Experiment,
    found: Rows,
    said: Mapping[str, Any],
    last: int,
    by_class: bool = True,
) -> None:
    """Refuse rows of a run that do not cover its recorded steps up to `last`.

    Args:
        folder: folder of the run.
        experiment: the experiment of the run.
        found: its rows.
        said: its status. A run that has ended may have no other rows.
        last: step of its last row.
        by_class: whether per-class rows were read.

    Raises:
        DamagedError: rows are missing, or there are others.
    """
    if "total_steps" not in said:  # recorded by hand
        return
    schedule, how = Schedule.of_length(experiment, said["total_steps"]), said.get("status")
    if how == "done" and last != schedule.total:
        reason = f"{last} of {schedule.total} steps are done"
        raise checked_files.damaged(folder / "status.json", reason)
    if how in FINISHED:
        steps, classes = schedule.rows_of(last)
    else:
        steps = schedule.recorded(0, last + 1)
        classes = schedule.by_class(steps)
    pairs = [(found.table["step"].to_numpy(), steps)]
    if experiment.per_class and by_class:
        pairs.append((found.steps, classes))
    for have, wanted in pairs:
        missing = rows.missing(have, wanted)
        if missing:
            raise checked_files.damaged(folder, f"it lacks {missing}", folder)
        if how in FINISHED and len(have) != len(wanted):
            raise checked_files.damaged(folder, "it holds rows of other steps", folder)


def require_files(folder: Path, experiment: Experiment, said: Mapping[str, Any]) -> None:
    """Refuse a run whose files have changed, by a quick check.

    For a run that has ended, this reads only files whose size or time differs from the status. For
    other runs, it checks only the names of files.

    Raises:
        DamagedError: a file is missing, empty or changed.
        UnreadableError: a file cannot be read.
    """
    if said.get("status") not in FINISHED:
        with contextlib.suppress(FileNotFoundError):  # its process renews or merges parts just now
            _require_parts(folder, experiment, said)
    elif "id" not in said:
        _require_old(folder, experiment, said)
    elif MERGED["metrics"] not in said.get("files", {}):
        raise checked_files.damaged(folder / "status.json", "it names no rows")
    else:
        for name, entry in said["files"].items():
            _require_file(folder, name, experiment.id, entry)


def require_recorded(folder: Path, experiment: Experiment, said: Mapping[str, Any]) -> None:
    """Compare every file in the status, also kept parameters, with its hash.

    Raises:
        DamagedError: a file has changed, or one of the final files is missing.
        UnreadableError: a file cannot be read.
    """
    for name, entry in said.get("files", {}).items():
        merged_away = said.get("status") not in FINISHED and name in MERGED.values()
        if not merged_away:
            _require_file(folder, name, experiment.id, {"sha256": entry["sha256"]})


def _require_file(folder: Path, name: str, key: str, entry: Mapping[str, Any]) -> None:
    path = folder / name
    try:
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (entry.get("bytes"), entry.get("modified")):
            return
        digest = checked_files.digest_of(key, path)
    except (FileNotFoundError, NotADirectoryError) as error:
        if path.parent != folder:  # kept parameters: the run is not finished without them
            return
        raise checked_files.damaged(path, "it is gone") from error
    except (OSError, MemoryError) as error:
        raise unreadable(path, error) from error
    if digest != entry["sha256"]:
        raise checked_files.damaged(path, "its content has changed", folder)


def _require_old(folder: Path, experiment: Experiment, said: Mapping[str, Any]) -> None:
    merged = merged_files(folder, said)
    if MERGED["metrics"] not in merged:
        raise checked_files.damaged(folder / MERGED["metrics"], "it is gone")
    last = said.get("step", 0)
    found = rows.read(folder, experiment.id, merged).up_to(last)
    require_rows(folder, experiment, found, said, last)


def _require_parts(folder: Path, experiment: Experiment, said: Mapping[str, Any]) -> None:
    parts = rows.parts(folder, "metrics")
    if not parts or "total_steps" not in said:
        return
    schedule = Schedule.of_length(experiment, said["total_steps"])
    steps = [schedule.recorded(p.first, p.last + 1) for p in parts if p.path.stat().st_size]
    last = max(part.last for part in parts)
    there = np.concatenate([np.zeros(0, np.int64), *steps])
    missing = rows.missing(there, schedule.recorded(0, last + 1))
    if missing:
        raise checked_files.damaged(folder, f"it lacks {missing}", folder)
