"""The folders of runs of a workspace, shared by all parts of a command."""

from __future__ import annotations

from pathlib import Path

from optexp_jax.experiment import Experiment
from optexp_jax.results.store import RunFolder

DOWNLOADED = "wandb_cache"  # folder of groups that came from wandb


class RunFolders:
    """The folders of runs: one object each, with its lock and its last status.

    Args:
        workspace: folder of the workspace.
    """

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self._known: dict[tuple[str, str], RunFolder] = {}

    def __getitem__(self, experiment: Experiment) -> RunFolder:
        """Return the folder of an experiment, whether it exists or not."""
        key = experiment.run_key
        if key not in self._known:
            self._known[key] = RunFolder(self.workspace, experiment)
        return self._known[key]

    def to_read(self, experiment: Experiment) -> RunFolder:
        """Return the folder to read results of an experiment from."""
        return to_read(self[experiment])


def downloaded(workspace: Path, experiment: Experiment) -> RunFolder:
    """Return the folder of a run from wandb, whether it exists or not."""
    path = workspace / DOWNLOADED / experiment.group / experiment.id
    return RunFolder(workspace, experiment, path)


def is_downloaded(folder: RunFolder) -> bool:
    """Return whether a folder is of a run from wandb."""
    return folder.path.parent.parent.name == DOWNLOADED


def to_read(folder: RunFolder) -> RunFolder:
    """Return the folder of a run, or of its download if only that one has ended."""
    other = downloaded(folder.workspace, folder.experiment)
    if not other.path.exists() or folder.has_ended() or folder.damage() or not other.is_finished():
        return folder
    return other
