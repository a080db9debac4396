"""Start the child process that logs runs to wandb, and queue runs for it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import string
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from optexp_jax.config import Settings
from optexp_jax.experiment import Experiment
from optexp_jax.results.wandb import client
from optexp_jax.results.wandb.describe import describe

_MODULE = "optexp_jax.results.wandb.follower"
_WAIT = 20.0  # seconds
_SHARE = 0.005  # of the time of the command


def new_run_id() -> str:
    """Make a wandb run id; `status.json` keeps it, and a resumed run uses it again.

    >>> len(new_run_id())
    8
    """
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))


def open_reader(settings: Settings, report: Callable[[str], None]) -> Reader:
    """Open what logs new runs to wandb, as the settings say.

    Args:
        settings: whether and how.
        report: shows one sentence to the user; called from another thread.
    """
    return WandbReader(settings, report) if settings.wandb_enabled else NoReader()


class Reader(Protocol):
    """Receive the runs that start, to log them to wandb."""

    def begin(self, experiment: Experiment, run_id: str, counts: Mapping[str, np.ndarray]) -> None:
        """Take a run that begins or resumes; its folder exists."""

    def close(self, timeout: float | None = None) -> None:
        """Wait a while for runs that are not logged yet."""


class NoReader:
    """Do nothing."""

    def begin(self, experiment: Experiment, run_id: str, counts: Mapping[str, np.ndarray]) -> None:
        """Do nothing."""

    def close(self, timeout: float | None = None) -> None:
        """Do nothing."""


class WandbReader:
    """Follow the files of runs in a child process, for which no run waits.

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
        self._began = time.monotonic()

    def begin(self, experiment: Experiment, run_id: str, counts: Mapping[str, np.ndarray]) -> None:
        """Put a run into the queue.

        Args:
            experiment: what runs.
            run_id: of wandb, new or as in the status of a run that is resumed.
            counts: the class counts that its folder stores.
        """
        described = describe(experiment, counts["train"], run_id, self._settings)
        with contextlib.suppress(OSError):  # a full disk: the run itself says so
            described.save(self._workspace)
            if self._process is None:
                self._start()

    def close(self, timeout: float | None = None) -> None:
        """Wait a while until wandb has everything; the child does the rest in the background.

        Args:
            timeout: seconds; None is what the settings and the length of the command suggest.
        """
        if self._process is None:
            return
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended
            self._process.stdin.close()
        try:
            self._process.wait(self._patience() if timeout is None else timeout)
        except subprocess.TimeoutExpired:
            self._report(self._left())
        if self._process.poll() is not None and self._listener is not None:
            self._listener.join()
            self._process.stdout.close()  # pyright: ignore[reportOptionalMemberAccess]

    def _patience(self) -> float:
        """Return how many seconds to wait at the end: few, unless rows would be lost or late."""
        if self._settings.wandb_mode == "online" or "SLURM_JOB_ID" in os.environ:
            return _WAIT  # SLURM kills what outlives a job
        return min(_WAIT, _SHARE * (time.monotonic() - self._began))

    def _left(self) -> str:
        if self._settings.wandb_mode == "offline":
            return "Writing the records for wandb in the background; this takes a few seconds."
        return (
            f"wandb has not received everything after {_WAIT:g} seconds; it continues in the "
            f"background. The results in {self._settings.workspace} are complete, and --sync "
            "uploads what is missing."
        )

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
                f"These runs are not logged to wandb ({line.strip()}). The results in "
                f"{self._settings.workspace} are complete: --sync uploads them later, and "
                "OPTEXP_WANDB_ENABLED=false turns wandb off."
            )
