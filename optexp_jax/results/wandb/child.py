"""The process that runs experiments, and its child that tells wandb of them."""

from __future__ import annotations

import contextlib
import json
import secrets
import string
import subprocess
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from optexp_jax.config import Settings
from optexp_jax.experiment import Experiment
from optexp_jax.results.wandb import client
from optexp_jax.results.wandb.describe import describe
from optexp_jax.results.wandb.description import queued

_MODULE = "optexp_jax.results.wandb.reader"
_WAIT = 20.0  # seconds


def new_run_id() -> str:
    """A wandb run id, kept in `status.json` and given again when the run is resumed.

    >>> len(new_run_id())
    8
    """
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))


def open_reader(settings: Settings, report: Callable[[str], None]) -> Reader:
    """What tells wandb of the runs that begin, as the settings say.

    Args:
        settings: whether and how.
        report: shows one sentence to the user; called from another thread.
    """
    return WandbReader(settings, report) if settings.wandb_enabled else NoReader()


class Reader(Protocol):
    """What is told of the runs that begin."""

    def begin(self, experiment: Experiment, run_id: str, counts: Mapping[str, np.ndarray]) -> None:
        """A run begins or is resumed; its folder is there."""

    def close(self, timeout: float = _WAIT) -> None:
        """Wait until everything is told that can be by then."""


class NoReader:
    """It tells nobody."""

    def begin(self, experiment: Experiment, run_id: str, counts: Mapping[str, np.ndarray]) -> None:
        """Do nothing."""

    def close(self, timeout: float = _WAIT) -> None:
        """Do nothing."""


class WandbReader:
    """A child process that follows the files of runs. Nothing of a run waits for it.

    Args:
        settings: the workspace and the wandb settings.
        report: shows one sentence to the user; called from another thread.
    """

    def __init__(self, settings: Settings, report: Callable[[str], None]) -> None:
        self._settings = settings
        self._workspace = settings.workspace.absolute()
        self._report = report
        self._process: subprocess.Popen[str] | None = None
        self._listener: threading.Thread | None = None

    def begin(self, experiment: Experiment, run_id: str, counts: Mapping[str, np.ndarray]) -> None:
        """Put a run into the queue.

        Args:
            experiment: what runs.
            run_id: of wandb, new or as in the status of a run that is resumed.
            counts: as its folder took them.
        """
        described = describe(experiment, counts["train"], run_id, self._settings)
        with contextlib.suppress(OSError):  # a full disk: the run itself says so
            described.save(self._workspace)
            if self._process is None:
                self._start()

    def close(self, timeout: float = _WAIT) -> None:
        """Wait until everything is told; after the time the child goes on alone.

        Args:
            timeout: seconds.
        """
        if self._process is None:
            return
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended
            self._process.stdin.close()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            left = sum(1 for _ in queued(self._workspace))
            self._report(
                f"wandb is not ready after {timeout:g} seconds and goes on in the background with "
                f"{left} runs. The results in {self._settings.workspace} are complete; --sync "
                "publishes what it leaves."
            )
        if self._listener is not None:
            self._listener.join(0.0 if self._process.poll() is None else 1.0)

    def _start(self) -> None:
        request = {"workspace": str(self._workspace), "mode": self._settings.wandb_mode}
        self._process = client.start_module(
            _MODULE, json.dumps(request), client.cache_in(self._workspace)
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._report(
                f"wandb is not told of these runs ({line.strip()}). The results in "
                f"{self._settings.workspace} are complete: --sync publishes them later, and "
                "OPTEXP_WANDB_ENABLED=false does without wandb."
            )
