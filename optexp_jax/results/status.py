"""Read, check and write `status.json`."""

from __future__ import annotations

import datetime
import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from optexp_jax.errors import DamagedError
from optexp_jax.results import checked_files

FINISHED = ("done", "diverged")
STATES = ("queued", "running", "preempted", "failed", *FINISHED)

_LONGEST = 100  # changes of a status that are remembered

_PACK = re.compile(r"[0-9a-f]{32}")  # it names a folder
_KEY = re.compile(r"[0-9a-f]{64}")
_WANDB = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value < 2**63


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_time(value: Any) -> bool:
    try:
        return datetime.datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _is_duration(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


def _or_none(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


def _is_files(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(entry, dict)
        and _matches(_KEY)(entry.get("sha256"))
        and all(_whole(0)(entry.get(name, 0)) for name in ("bytes", "modified", "rows"))
        for entry in value.values()
    )


def _is_history(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, list)
        and len(entry) == 3
        and _is_time(entry[0])
        and entry[1] in STATES
        and _whole(0)(entry[2])
        for entry in value
    )


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "status": lambda value: value in STATES,
    "id": _matches(_KEY),
    "step": _whole(0),
    "total_steps": _whole(1),
    "pack": _matches(_PACK),
    "checkpoint": _or_none(_matches(_PACK)),
    "pack_mode": lambda value: value in ("map", "vmap"),
    "micro_batch": _or_none(_whole(1)),
    "devices": _whole(1),
    "shard": lambda value: value in ("data", "fsdp"),
    "remat": lambda value: isinstance(value, bool),
    "wandb_id": _or_none(_matches(_WANDB)),
    "started": _is_time,
    "updated": _is_time,
    "reason": _or_none(_is_text),
    "host": _is_text,
    "pid": _whole(0),
    "cores": _or_none(_whole(1)),
    "versions": lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
    "settings": lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
    "sources": lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
    "pack_seconds": _is_duration,
    "files": _is_files,
    "history": _is_history,
}


def with_history(before: Mapping[str, Any], changes: Mapping[str, Any], now: str) -> dict[str, Any]:
    """Apply changes to the entries of a status; `history` notes each new status, time and step.

    A run that is `running` again was killed and has been resumed.

    >>> with_history({"step": 2}, {"status": "preempted"}, "2026-01-01T00:00:00+00:00")["history"]
    [['2026-01-01T00:00:00+00:00', 'preempted', 2]]
    """
    entries = {**before, "updated": now, **changes}
    if "status" in changes:
        entry = [now, changes["status"], entries.get("step", 0)]
        entries["history"] = [*before.get("history", []), entry][-_LONGEST:]
    return entries


def read(path: Path, key: str) -> dict[str, Any]:
    """Read the entries of a status; empty if there is no file.

    Args:
        path: path of `status.json`.
        key: id of the experiment.

    Raises:
        DamagedError: it is not what was written, an entry cannot be, or it is of another run.
        UnreadableError: the file cannot be read.
    """
    document = checked_files.read_json(path)
    checksum = document.pop("checksum", None)
    for name, value in document.items():
        if name in _FIELDS and not _FIELDS[name](value):
            raise checked_files.damaged(path, f"{name} cannot be {value!r}")
    # Version 0.1.0 wrote neither an id nor a checksum.
    if checksum is None and "id" not in document:
        return document
    if document.get("id") != key:
        raise checked_files.damaged(path, "it is of another run")
    if checksum != _checksum(document):
        raise checked_files.damaged(path, "its content has changed")
    return document


def write(path: Path, key: str, entries: Mapping[str, Any]) -> None:
    """Write the entries of a status, with the id of the run and a checksum.

    Raises:
        OSError: the folder cannot be written.
        DamagedError: an entry cannot be read again.
    """
    document = dict(entries) | {"id": key}
    for name, value in document.items():
        if name in _FIELDS and not _FIELDS[name](value):
            raise DamagedError(
                f"The entry {name} of a status cannot be {value!r}",
                code="status-entry-malformed",
                name=name,
                value=value,
            )
    text = json.dumps(document | {"checksum": _checksum(document)}, indent=1)
    checked_files.write_text(path, text, make_folder=False)


def _checksum(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
