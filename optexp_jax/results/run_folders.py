"""The folders of the runs of a workspace, which one command carries from its start to its end."""

from __future__ import annotations

from pathlib import Path

from optexp_jax.experiment import Experiment
from optexp_jax.results.store import RunFolder

DOWNLOADED = "wandb_cache"  # folder of groups that came from wandb


class RunFolders:
    """The folders of runs: one object for each, which holds its lock and what it last wrote.

    Args:
        workspace: where they are.
    """

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self._known: dict[tuple[str, str], RunFolder] = {}

    def __getitem__(self, experiment: Experiment) -> RunFolder:
        """The folder of an experiment, whether it was begun or not."""
        key = experiment.run_key
        if key not in self._known:
            self._known[key] = RunFolder(self.workspace, experiment)
        return self._known[key]

    def to_read(self, experiment: Experiment) -> RunFolder:
        """The folder that results of an experiment are read from."""
        return to_read(self[experiment])


def downloaded(workspace: Path, experiment: Experiment) -> RunFolder:
    """The folder of a run that came from wandb, whether it is there or not."""
    path = workspace / DOWNLOADED / experiment.group / experiment.id
    return RunFolder(workspace, experiment, path)


def is_downloaded(folder: RunFolder) -> bool:
    """Whether a folder is of a run that came from wandb."""
    return folder.path.parent.parent.name == DOWNLOADED


def to_read(folder: RunFolder) -> RunFolder:
    """The folder of a run, or that of its download where only that has ended."""
    other = downloaded(folder.workspace, folder.experiment)
    if not other.path.exists() or folder.has_ended() or folder.damage() or not other.is_finished():
        return folder
    return other
