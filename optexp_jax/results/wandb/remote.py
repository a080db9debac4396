"""What the wandb server has of the runs of a workspace."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from optexp_jax.config import Settings
from optexp_jax.results.wandb.workers import PATIENCE, RemoteWorker


@dataclasses.dataclass(frozen=True)
class RemoteRun:
    """A run on the server.

    Args:
        path: entity, project and wandb id.
        wandb_id: the last of these.
        state: running, finished, failed or crashed.
        created: when.
        has_all_rows: whether it has as many rows as it says that there are.
        lines: number of rows.
        config: its columns.
        artifact: fingerprint of the rows that its artifact holds, None if it has none.
    """

    path: str
    wandb_id: str
    state: str
    created: str
    has_all_rows: bool
    lines: int
    config: Mapping[str, Any]
    artifact: str | None

    @property
    def key(self) -> str | None:
        """Id of the experiment."""
        return self.config.get("id")

    def holds(self, results: str) -> bool:
        """Whether it is finished, and has all rows and files of the run with this fingerprint."""
        said = (self.config.get("results"), self.artifact)
        return self.state == "finished" and self.has_all_rows and said == (results, results)


def runs_of(
    groups: Iterable[str], settings: Settings, patience: float = PATIENCE
) -> dict[str, list[RemoteRun]]:
    """The runs of groups that the server has, newest last; none of a project that is not there.

    Args:
        groups: of experiments.
        settings: the workspace, and the projects.
        patience: seconds to wait for an answer.

    Raises:
        WandbError: the server refuses, or does not answer.
    """
    worker = RemoteWorker(Path(settings.workspace), patience)
    try:
        return {group: _runs_of(group, settings, worker) for group in dict.fromkeys(groups)}
    finally:
        worker.stop()


def _runs_of(group: str, settings: Settings, worker: RemoteWorker) -> list[RemoteRun]:
    project, entity = settings.wandb_home(group)
    found = worker.do("list", project=project, entity=entity, group=group)
    return sorted((RemoteRun(**run) for run in found or ()), key=lambda run: run.created)
