"""What wandb is told of a run beside what its files hold: plain values, written to a queue."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_QUEUE = ("wandb", "queue")


@dataclasses.dataclass(frozen=True)
class RunDescription:
    """A run as wandb shows it.

    Args:
        folder: of the run, relative to the workspace.
        key: id of the experiment.
        wandb_id: of the run on wandb.
        name: tells it apart from the other runs of its group.
        group: of experiments.
        project: of wandb.
        entity: of wandb, None for the default of the account.
        tags: words to filter by.
        config: columns, and the definition below `definition`.
        metric: the column that runs are judged by.
        groups: classes of each frequency group.
    """

    folder: str
    key: str
    wandb_id: str
    name: str
    group: str
    project: str
    entity: str | None
    tags: list[str]
    config: dict[str, Any]
    metric: str
    groups: list[list[int]]

    def save(self, workspace: Path) -> None:
        """Put it into the queue of the workspace: a reader is to tell wandb of the run."""
        folder = workspace.joinpath(*_QUEUE)
        folder.mkdir(parents=True, exist_ok=True)
        # Whole or not at all; a power cut may lose it, and `--sync` finds the run all the same.
        aside = folder / f".{self.wandb_id}"
        aside.write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")
        os.replace(aside, folder / f"{self.wandb_id}.json")


def queued(workspace: Path) -> Iterator[tuple[Path, RunDescription]]:
    """The descriptions that wait in the queue, and their files; what cannot be one is removed."""
    for path in sorted(workspace.joinpath(*_QUEUE).glob("*.json")):
        with contextlib.suppress(FileNotFoundError):  # another reader was faster
            try:
                yield path, RunDescription(**json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError):  # of another version of this library
                path.unlink()


def derived_id(experiment_id: str, group: str, started: str) -> str:
    """The wandb id of a run that has none: the same for the same run, whoever asks.

    >>> len(derived_id("ab", "linreg", "2026-11-26T12:00:00+0000"))
    16
    """
    return hashlib.sha256(f"{group}/{experiment_id}/{started}".encode()).hexdigest()[:16]
