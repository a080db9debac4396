"""The wandb mirror: a copy of what the workspace holds, made by wandb's own client.

Runs are recorded offline under `<workspace>/wandb` unless the settings say online;
`wandb sync <workspace>/wandb` sends them later. Nothing of a run depends on wandb: every call to
it, its import included, happens on one daemon thread, and the first failure ends the mirror with
one sentence. The stop button of wandb's pages does nothing, since runs share a process.

While a mirror is open `WANDB_CACHE_DIR` and `WANDB_DATA_DIR` are `<workspace>/wandb_cache` and
`WANDB_ERROR_REPORTING` is false, where the environment does not say otherwise.
"""

from __future__ import annotations

import contextlib
import importlib
import queue
import secrets
import string
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.identity import encode_fields
from optexp_jax.results.wandb import containment

MAX_ROWS = 2000  # of one run; a row costs 0.3 ms of processor time, and the workspace has them all

_QUIET = {"silent": True, "console": "off"}
_NOTHING_ELSE = {
    "disable_git": True,
    "save_code": False,
    "symlink": False,
    "x_disable_stats": True,
    "x_disable_meta": True,
    "x_disable_machine_info": True,
    "x_save_requirements": False,
}


def new_run_id() -> str:
    """A wandb run id, kept in `status.json` and given again when the run is resumed.

    >>> len(new_run_id())
    8
    """
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))


def open_mirror(settings: Settings, report: Callable[[str], None]) -> Mirror:
    """The mirror that the settings ask for.

    Args:
        settings: whether and how.
        report: shows one sentence to the user; may be called from another thread.
    """
    return WandbMirror(settings, report) if settings.wandb_enabled else NoMirror()


class Mirror(Protocol):
    """What the launcher tells about its runs."""

    def start(self, experiment: Experiment, run_id: str) -> None:
        """Open a run."""

    def log(self, run_id: str, rows: list[dict[str, float]]) -> None:
        """Add rows of scalars."""

    def finish(self, run_id: str, status: str, files: list[Path]) -> None:
        """Close a run."""

    def close(self, timeout: float = 60.0) -> None:
        """Wait until everything is mirrored."""


class NoMirror:
    """A mirror that does nothing."""

    def start(self, experiment: Experiment, run_id: str) -> None:
        """Do nothing."""

    def log(self, run_id: str, rows: list[dict[str, float]]) -> None:
        """Do nothing."""

    def finish(self, run_id: str, status: str, files: list[Path]) -> None:
        """Do nothing."""

    def close(self, timeout: float = 60.0) -> None:
        """Do nothing."""


class WandbMirror:
    """Runs as wandb runs. `start`, `log` and `finish` return at once and never raise for wandb.

    Args:
        settings: the workspace and the wandb settings.
        report: shows one sentence to the user; called at most once, from any thread.
    """

    def __init__(self, settings: Settings, report: Callable[[str], None]) -> None:
        self._settings = settings
        self._workspace = settings.workspace.absolute()
        self._report = report
        self._jobs: queue.SimpleQueue[Callable[[Any], None] | None] = queue.SimpleQueue()
        self._thinned: dict[str, _Thinned] = {}
        self._runs: dict[str, Any] = {}  # of the worker only
        self._ended = threading.Lock()  # taken once, for ever, by whoever ends the mirror
        self._worker: threading.Thread | None = None
        self._wandb: Any = None

    def start(self, experiment: Experiment, run_id: str) -> None:
        """Open a run; a run resumed under its old id continues the old run.

        Args:
            experiment: its definition becomes the config of the wandb run.
            run_id: of `new_run_id`.
        """
        length = experiment.epochs or experiment.steps or 1
        self._thinned[run_id] = _Thinned(length // experiment.eval_every)
        self._do(self._init, experiment, run_id)

    def log(self, run_id: str, rows: list[dict[str, float]]) -> None:
        """Add rows of scalars, each with an integer `step`; long runs are thinned to `MAX_ROWS`."""
        thinned = self._thinned.get(run_id)
        kept = thinned.keep(rows) if thinned else []
        if kept:
            self._do(self._log, run_id, kept)

    def finish(self, run_id: str, status: str, files: list[Path]) -> None:
        """Close a run.

        Args:
            run_id: a run that was started.
            status: as in `status.json`; done and diverged are successes.
            files: the final arrays, one artifact. They are not copied: keep them until synced.
        """
        thinned = self._thinned.pop(run_id, None)
        if thinned and thinned.last is not None:
            self._do(self._log, run_id, [thinned.last])
        self._do(self._finish, run_id, status, list(files))

    def close(self, timeout: float = 60.0) -> None:
        """Wait until wandb has everything; call it however the launch ends.

        Args:
            timeout: seconds after which wandb is given up, so that nothing waits for it at exit.
        """
        if self._worker is None:
            return
        self._jobs.put(None)
        try:
            self._worker.join(timeout)
        finally:  # Ctrl-C while waiting gives up too
            if self._worker.is_alive():
                self._end(f"it was not ready after {timeout:g} seconds")
            if self._ended.locked() and containment.kill_service(self._wandb):
                self._worker.join(1.0)

    def _do(self, job: Callable[..., None], *arguments: Any) -> None:
        if self._ended.locked():
            return
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="wandb-mirror", daemon=True)
            self._worker.start()
        self._jobs.put(lambda wandb: job(wandb, *arguments))

    def _end(self, reason: str) -> None:
        if self._ended.acquire(blocking=False):
            self._report(
                f"wandb stopped mirroring ({reason}): the results in {self._settings.workspace} "
                "are complete; OPTEXP_WANDB_ENABLED=false does without wandb."
            )

    # From here on everything runs on the worker.

    def _work(self) -> None:
        with containment.folders(self._workspace):
            try:
                wandb = self._connect()
                while (job := self._jobs.get()) is not None and not self._ended.locked():
                    job(wandb)
            except BaseException as error:  # wandb may raise SystemExit, too
                self._end(containment.reason(error))
            for run in self._runs.values():  # they keep what they have; `close` bounds the wait
                with contextlib.suppress(BaseException):
                    run.finish(exit_code=1)

    def _connect(self) -> Any:
        # Else wandb falls back to /tmp, and its service complains on the terminal.
        for folder in (self._workspace / "wandb", *containment.caches()):
            folder.mkdir(parents=True, exist_ok=True)
        containment.ignore_threads()
        self._wandb = wandb = _import_wandb()
        mode = self._settings.wandb_mode
        wandb.setup(settings=wandb.Settings(mode=mode, **_QUIET))
        if mode == "online" and wandb.run is None and not wandb.login(prompt=False):
            raise OptexpError(
                "no API key is configured, `wandb login` stores one", code="wandb-not-logged-in"
            )
        return wandb

    def _init(self, wandb: Any, experiment: Experiment, run_id: str) -> None:
        settings, optimizer = self._settings, experiment.optimizer
        known = {k: v for k, v in _NOTHING_ELSE.items() if k in wandb.Settings.model_fields}
        self._runs[run_id] = wandb.init(
            dir=self._workspace,
            project=settings.wandb_project,
            entity=settings.wandb_entity,
            group=experiment.group,
            name=f"{type(optimizer).__name__} {optimizer.learning_rate} "
            f"seed {experiment.seed} {experiment.short_id}",
            id=run_id,
            config={**encode_fields(experiment), "id": experiment.id, "group": experiment.group},
            mode=settings.wandb_mode,
            resume="allow" if settings.wandb_mode == "online" else None,
            reinit="create_new",
            settings=wandb.Settings(**_QUIET, **known, stop_fn=_nothing),
        )

    def _log(self, wandb: Any, run_id: str, rows: list[dict[str, float]]) -> None:
        for row in rows:
            values = {name: value for name, value in row.items() if name != "step"}
            self._runs[run_id].log(values, step=int(row["step"]))

    def _finish(self, wandb: Any, run_id: str, status: str, files: list[Path]) -> None:
        run = self._runs.pop(run_id)
        run.summary["status"] = status
        if files:
            artifact = wandb.Artifact(f"results-{run_id}", type="results")
            for file in files:
                artifact.add_file(str(file.absolute()), policy="immutable", skip_cache=True)
            run.log_artifact(artifact)
        run.finish(exit_code=0 if status in ("done", "diverged") else 1)


class _Thinned:
    """Which rows of a long run are mirrored: every n-th and the last."""

    def __init__(self, expected: int) -> None:
        self._every = max(1, -(-expected // MAX_ROWS))
        self._seen = 0
        self.last: dict[str, float] | None = None  # the newest row, if it was left out

    def keep(self, rows: list[dict[str, float]]) -> list[dict[str, float]]:
        kept = []
        for row in rows:
            wanted = self._seen % self._every == 0
            self._seen += 1
            self.last = None if wanted else dict(row)
            if wanted:
                kept.append(dict(row))
        return kept


def _import_wandb() -> Any:
    return importlib.import_module("wandb")


def _nothing() -> None:
    pass
