"""Find the runs of a workspace that the wandb server has."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from optexp_jax.config import Settings
from optexp_jax.results.wandb.workers import PATIENCE, RemoteWorker


@dataclasses.dataclass(frozen=True)
class RemoteRun:
    """Describe a run on the server.

    Args:
        path: entity, project and wandb id.
        wandb_id: the last of these.
        state: running, finished, failed or crashed.
        created: when.
        has_all_rows: whether it has as many rows as its config states.
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
        """The id of the experiment."""
        return self.config.get("id")

    def holds(self, results: str) -> bool:
        """Check that it is finished, with all rows and files of the run with this fingerprint."""
        said = (self.config.get("results"), self.artifact)
        return self.state == "finished" and self.has_all_rows and said == (results, results)


def runs_of(
    groups: Iterable[str], settings: Settings, patience: float = PATIENCE
) -> dict[str, list[RemoteRun]]:
    """List the server's runs of groups, newest last; none if the project does not exist.

    Args:
        groups: of experiments.
        settings: the workspace, and the projects.
        patience: seconds to wait for an answer.

    Raises:
        WandbError: the server refuses, or does not answer.
    """
    worker = RemoteWorker(settings.workspace, patience)
    try:
        return {group: runs_of_group(group, settings, worker) for group in dict.fromkeys(groups)}
    finally:
        worker.stop()


def runs_of_group(group: str, settings: Settings, worker: RemoteWorker) -> list[RemoteRun]:
    """List the server's runs of a group, newest last; a worker asks for them."""
    project, entity = settings.wandb_home(group)
    found = worker.do("list", project=project, entity=entity, group=group)
    return sorted((RemoteRun(**run) for run in found or ()), key=lambda run: run.created)
