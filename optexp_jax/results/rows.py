"""Rows of a run: a pair of files for each chunk while it runs, one merged pair at the end.

The name of the file of a chunk ends with the first digits of its hash, and the status holds the
hashes of merged files. So truncated and changed files, and files of other runs, are noticed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from optexp_jax.errors import DamagedError, unreadable
from optexp_jax.results import checked_files
from optexp_jax.results.status import FINISHED

MERGED = {"metrics": "metrics.parquet", "per_class": "per_class.npz"}

_DIGITS = 16  # of a hash, in the name of a file
_PART = re.compile(r"(metrics|per_class)-(\d{10,})-(\d{10,})(?:-([0-9a-f]{16}))?\.(parquet|npz)")


class Part(NamedTuple):
    """The file of a chunk."""

    path: Path
    first: int  # step
    last: int
    digest: str | None  # first digits; None for files of version 0.1.0


class Rows(NamedTuple):
    """The rows of a run."""

    table: pd.DataFrame  # a row for each recorded step, in order
    per_class: dict[str, np.ndarray]  # `[rows, classes]`
    steps: np.ndarray  # of these rows

    def up_to(self, step: int) -> Rows:
        """Return the rows up to and including a step."""
        if max(_last(self.table["step"].to_numpy()), _last(self.steps)) <= step:
            return self
        inside = self.steps <= step
        return Rows(
            self.table.loc[self.table["step"] <= step].reset_index(drop=True),
            {name: array[inside] for name, array in self.per_class.items()},
            self.steps[inside],
        )


def parts(folder: Path, kind: str) -> list[Part]:
    """Return the files of chunks, oldest first.

    Raises:
        UnreadableError: the folder cannot be read.
    """
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise unreadable(folder, error) from error
    found = []
    for name in names:
        match = _PART.fullmatch(name)
        if match and match[1] == kind:
            found.append(Part(folder / name, int(match[2]), int(match[3]), match[4]))
    return sorted(found, key=lambda part: (part.path.stat().st_mtime_ns, part.path.name))


def merged_files(folder: Path, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the valid merged files: name -> entry in the status, None from version 0.1.0.

    A run that was killed while it merged its parts has all parts, and merged files without entry.
    """
    if said.get("status") not in FINISHED:
        return {}
    if "id" not in said:
        return {name: None for name in MERGED.values() if (folder / name).exists()}
    return {name: said["files"][name] for name in MERGED.values() if name in said["files"]}


def write_part(
    folder: Path,
    key: str,
    table: Mapping[str, np.ndarray],
    per_class: Mapping[str, np.ndarray],
    steps: np.ndarray,
) -> None:
    """Write the rows of a chunk; whole or not at all, also when the process is killed.

    Raises:
        OSError: the folder is gone or cannot be written.
    """
    span = f"{int(table['step'][0]):010d}-{int(table['step'][-1]):010d}"
    contents = {"metrics": checked_files.table_bytes(pd.DataFrame(dict(table)))}
    if len(steps):  # first, so that a row by class is never missing where its row is there
        contents = {
            "per_class": checked_files.arrays_bytes({"step": steps, **per_class}),
            **contents,
        }
    for kind, content in contents.items():
        digits = checked_files.digest(key, content)[:_DIGITS]
        path = folder / f"{kind}-{span}-{digits}{Path(MERGED[kind]).suffix}"
        checked_files.write_bytes(path, content, make_folder=False)
        for older in set(folder.glob(f"{kind}-{span}*")) - {path}:  # of an earlier attempt
            older.unlink(missing_ok=True)


def read(
    folder: Path,
    key: str,
    merged: Mapping[str, Any],
    lenient: bool = False,
    by_class: bool = True,
    after: int | None = None,
) -> Rows:
    """Read all rows in order of steps; of several rows of a step, the newest.

    Args:
        folder: folder of the run.
        key: id of the run.
        merged: name of a merged file -> its entry in the status, or None.
        lenient: whether to leave out damaged chunks.
        by_class: whether to read per-class arrays.
        after: leave out chunks that end at this step or before.

    Raises:
        DamagedError: a file is damaged, or of another run.
        FileNotFoundError: a merged file is missing.
        UnreadableError: a file cannot be read.
    """
    tables, arrays = [], []
    kinds = [("metrics", _table, tables)] + [("per_class", _arrays, arrays)] * by_class
    for kind, decode, found in kinds:
        if (name := MERGED[kind]) in merged:
            entry = merged[name]
            content = _checked(folder / name, key, entry and entry["sha256"])
            found.append(decode(folder / name, content))
        found += _each(_later(parts(folder, kind), after), key, decode, lenient)
    _require_alike(folder, [list(table.columns) for table in tables])
    _require_alike(folder, [[(n, a.shape[1:]) for n, a in part.items()] for part in arrays])
    joined = _concatenate(arrays)
    return Rows(_joined(tables), joined, joined.pop("step"))


def contents(rows: Rows) -> dict[str, bytes]:
    """Return the merged files of rows: name -> content."""
    found = {}
    if len(rows.steps):
        found[MERGED["per_class"]] = checked_files.arrays_bytes(
            {"step": rows.steps, **rows.per_class}
        )
    return found | {MERGED["metrics"]: checked_files.table_bytes(rows.table)}


def missing(found: Iterable[int], wanted: np.ndarray) -> str | None:
    """Return which of the wanted steps are missing, in words; None if none is.

    >>> missing([0, 1, 4], np.arange(6))
    'steps 2 to 5 (3 rows)'
    """
    there = found if isinstance(found, np.ndarray) else np.asarray(list(found), np.int64)
    if np.array_equal(there, wanted):
        return None
    absent = np.setdiff1d(wanted, there)
    if not len(absent):
        return None
    if len(absent) == 1:
        return f"step {absent[0]}"
    return f"steps {absent[0]} to {absent[-1]} ({len(absent)} rows)"


def _later(found: list[Part], after: int | None) -> list[Part]:
    return found if after is None else [part for part in found if part.last > after]


def _each(found: list[Part], key: str, decode: Any, lenient: bool) -> list[Any]:
    decoded = []
    for part in found:
        try:
            decoded.append(decode(part.path, _checked(part.path, key, part.digest)))
        except DamagedError:
            if not lenient:
                raise
    return decoded


def _checked(path: Path, key: str, digest: str | None) -> bytes:
    """Read a file, and check its hash."""
    content = checked_files.read_bytes(path)
    if digest is not None and not checked_files.digest(key, content).startswith(digest):
        raise checked_files.damaged(path, "its content has changed")
    return content


def _table(path: Path, content: bytes) -> pd.DataFrame:
    table = checked_files.table_from(path, content)
    if "step" not in table or not _are_steps(table["step"].to_numpy()):
        raise checked_files.damaged(path, "its steps are not in order")
    return table


def _arrays(path: Path, content: bytes) -> dict[str, np.ndarray]:
    arrays = checked_files.arrays_from(path, content)
    if "step" not in arrays or not _are_steps(arrays["step"]):
        raise checked_files.damaged(path, "its steps are not in order")
    for name, array in arrays.items():
        if len(array.shape) != 1 + (name != "step") or len(array) != len(arrays["step"]):
            raise checked_files.damaged(path, f"the array {name!r} has the shape {array.shape}")
    return arrays


def _require_alike(folder: Path, names: list[list[Any]]) -> None:
    if any(some != names[0] for some in names):
        raise checked_files.damaged(folder, "its files hold different columns", folder)


def _last(steps: np.ndarray) -> int:
    return int(steps[-1]) if len(steps) else -1


def _are_steps(steps: np.ndarray) -> bool:
    whole = steps.dtype.kind in "iu" and steps.ndim == 1
    return whole and bool((steps >= 0).all()) and bool((np.diff(steps) > 0).all())


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    if not tables:
        return pd.DataFrame({"step": np.zeros(0, np.int64)})
    if len(tables) == 1:  # in order, each step once
        return tables[0]
    table = pd.concat(tables, ignore_index=True)
    return table.drop_duplicates("step", keep="last").sort_values("step", ignore_index=True)


def _concatenate(arrays: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Concatenate arrays in order of steps; of several rows of a step, keep the newest."""
    if not arrays:
        return {"step": np.zeros(0, np.int64)}
    if len(arrays) == 1:  # in order, each step once
        return dict(arrays[0])
    joined = {name: np.concatenate([part[name] for part in arrays]) for name in arrays[-1]}
    steps = joined["step"]
    last = len(steps) - 1 - np.unique(steps[::-1], return_index=True)[1]
    return {name: array[last] for name, array in joined.items()}
