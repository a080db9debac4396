"""Describe runs for wandb beyond their files: plain values, written to a queue."""

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
    """Describe a run as wandb shows it.

    Args:
        folder: of the run, relative to the workspace.
        key: id of the experiment.
        wandb_id: of the run on wandb.
        name: distinguishes it from the other runs of its group.
        group: of experiments.
        project: of wandb.
        entity: of wandb, None for the default of the account.
        tags: words to filter by.
        config: columns, and the definition below `definition`.
        metric: the column by which runs are compared.
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
        """Put the description into the queue of the workspace, from which a reader logs the run."""
        folder = workspace.joinpath(*_QUEUE)
        folder.mkdir(parents=True, exist_ok=True)
        # Whole or not at all; a power cut may lose it, and `--sync` finds the run all the same.
        aside = folder / f".{self.wandb_id}"
        aside.write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")
        os.replace(aside, folder / f"{self.wandb_id}.json")


def queued(workspace: Path) -> Iterator[tuple[Path, RunDescription]]:
    """List the queued descriptions with their files; remove files that are not descriptions."""
    for path in sorted(workspace.joinpath(*_QUEUE).glob("*.json")):
        with contextlib.suppress(FileNotFoundError):  # another reader was faster
            try:
                yield path, RunDescription(**json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError):  # of another version of this library
                path.unlink()


def derived_id(experiment_id: str, group: str, started: str) -> str:
    """Derive a wandb id for a run without one: always the same for the same run.

    >>> len(derived_id("ab", "linreg", "2026-11-26T12:00:00+0000"))
    16
    """
    return hashlib.sha256(f"{group}/{experiment_id}/{started}".encode()).hexdigest()[:16]
