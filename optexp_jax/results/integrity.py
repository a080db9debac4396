"""Whether the files of a run are those that it wrote, and hold every row that was to be recorded.

`done` in a status is a claim; what is there decides. Version 0.1.0 kept no hashes: of its runs the
rows are counted.
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
    """What the status says of a file of a run that was written just now, and has this hash."""
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
    """Refuse the rows of a run that lack some of the steps from the first to `last`.

    Args:
        folder: of the run.
        experiment: the run.
        found: what it recorded.
        said: its status; of one that has ended the rows are these and no others.
        last: step of its last row.
        by_class: whether rows by class were read.

    Raises:
        DamagedError: rows are missing, or others are there.
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
    """Refuse a run whose files are not those that it wrote, as far as a glance shows.

    Of a run that has ended, files are read unless they have the size and the time that were written
    down; of one that has not, only the names of files are looked at.

    Raises:
        DamagedError: a file is gone, empty, or another.
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
    """Read every file that the status names, kept parameters too, and compare its hash.

    Raises:
        DamagedError: the content of a file has changed, or one of the final files is gone.
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
