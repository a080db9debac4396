"""The folders of the runs of a workspace, which one command carries from its start to its end."""

from __future__ import annotations

from pathlib import Path

from optexp_jax.experiment import Experiment
from optexp_jax.results.store import RunFolder


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
