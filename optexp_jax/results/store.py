"""The folder of one experiment in the workspace: the only memory of what was run."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optexp_jax.aside import aside
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.results import files

FINISHED = ("done", "diverged")
_PART = re.compile(r"^(metrics|per_class)-(\d+)-(\d+)\.(parquet|npz)$")


class RunFolder:
    """`<workspace>/experiments/<group>/<id>/`: definition, status and metrics of one run.

    Every chunk of rows is one pair of files named by its range of steps; a resumed run writes the
    steps after its checkpoint again, and newer rows win. At the end all parts become one.
    """

    def __init__(self, workspace: Path, experiment: Experiment) -> None:
        self.workspace = workspace
        self.experiment = experiment
        self.group = workspace / "experiments" / experiment.group
        self.path = self.group / experiment.id

    # -- status ---------------------------------------------------------------------------------

    def read_status(self) -> dict[str, Any]:
        """What `status.json` says, empty if the run never started."""
        return files.read_json(self.path / "status.json")

    def write_status(self, **changes: Any) -> None:
        """Change some entries of `status.json`."""
        status = self.read_status() | {"updated": _now()} | changes
        files.write_text(self.path / "status.json", json.dumps(status, indent=1))

    def status(self) -> str:
        """done, diverged, failed, preempted, running, interrupted, or missing.

        A run whose process is gone still says `running` in its file; nobody holds its lock.
        """
        status = self.read_status().get("status", "missing")
        if status in ("running", "queued") and not self.is_locked():
            return "interrupted" if status == "running" else status
        return status

    def begin(self, counts: Mapping[str, np.ndarray], **entries: Any) -> None:
        """Make the folder of a run that starts or goes on.

        Args:
            counts: examples per class: `train` of the training data, `tr` and `va` of what training
                and validation metrics are measured on.
            **entries: of the status.
        """
        files.write_text(self.path / "experiment.json", self.experiment.to_json())
        _save_npz(self.path / "class_counts.npz", counts)
        started = self.read_status().get("started", _now())
        self.write_status(status="running", started=started, reason=None, **_host(), **entries)

    def clear(self) -> None:
        """Forget everything that the run recorded."""
        for path in self.path.glob("*"):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != ".lock":
                path.unlink()

    # -- rows -----------------------------------------------------------------------------------

    def append(
        self,
        table: Mapping[str, np.ndarray],
        per_class: Mapping[str, np.ndarray],
        per_class_steps: np.ndarray,
    ) -> None:
        """Store the rows of a chunk; whole or not at all, also when the process is killed."""
        if not len(table["step"]):
            return
        span = f"{int(table['step'][0]):010d}-{int(table['step'][-1]):010d}"
        if len(per_class_steps):
            arrays = {"step": per_class_steps, **per_class}
            _save_npz(self.path / f"per_class-{span}.npz", arrays)
        _save_parquet(self.path / f"metrics-{span}.parquet", pd.DataFrame(dict(table)))

    def keep_parameters(self, step: int, parameters: Mapping[str, np.ndarray]) -> None:
        """Store the parameters at a step, path -> array."""
        _save_npz(self._kept(step), parameters)

    def read_parameters(self, step: int) -> dict[str, np.ndarray]:
        """The parameters kept at a step, path -> array.

        Raises:
            OptexpError: none were kept there, or the file is damaged.
        """
        if not self._kept(step).exists():
            raise OptexpError(
                f"Experiment {self.experiment.short_id} kept no parameters at step {step}: name "
                "the step in keep_steps and run it again with --force."
            )
        return _read_npz(self._kept(step))

    def is_finished(self) -> bool:
        """Whether the run has ended and kept the parameters that its experiment asks for."""
        status = self.read_status()
        if status.get("status") not in FINISHED:
            return False
        last = status.get("step", 0)
        return all(self._kept(k).exists() for k in self.experiment.keep_steps if k <= last)

    def _kept(self, step: int) -> Path:
        return self.path / "parameters" / f"step-{step:010d}.npz"

    def finish(self, status: str, step: int, **entries: Any) -> None:
        """Merge the parts into `metrics.parquet` and `per_class.npz`, then say how it ended."""
        parts = self.parts("metrics") + self.parts("per_class")
        table, per_class, steps = self.read_rows(up_to=step)
        if len(steps):
            arrays = {"step": steps, **per_class}
            _save_npz(self.path / "per_class.npz", arrays)
        _save_parquet(self.path / "metrics.parquet", table)
        self.write_status(status=status, step=step, **entries)
        for part in parts:
            part.unlink(missing_ok=True)

    def final_files(self) -> list[Path]:
        """The merged files of a run that has ended."""
        names = ("metrics.parquet", "per_class.npz")
        return [self.path / name for name in names if (self.path / name).exists()]

    def parts(self, kind: str) -> list[Path]:
        """Files of single chunks, oldest first."""
        found = [p for p in self.path.glob(f"{kind}-*") if _PART.match(p.name)]
        return sorted(found, key=lambda p: (p.stat().st_mtime_ns, p.name))

    def read_rows(
        self, up_to: int | None = None
    ) -> tuple[pd.DataFrame, dict[str, np.ndarray], np.ndarray]:
        """All rows: the table, the per-class arrays and their steps, in order of steps."""
        merged = [p for p in (self.path / "metrics.parquet",) if p.exists()]
        frames = [_read_parquet(p) for p in merged + self.parts("metrics")]
        table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"step": []})
        table = table.drop_duplicates("step", keep="last").sort_values("step", ignore_index=True)
        merged = [p for p in (self.path / "per_class.npz",) if p.exists()]
        arrays = _concatenate([_read_npz(p) for p in merged + self.parts("per_class")])
        if up_to is not None:
            table = table.loc[table["step"] <= up_to].reset_index(drop=True)
            inside = arrays["step"] <= up_to
            arrays = {name: array[inside] for name, array in arrays.items()}
        steps = arrays.pop("step")
        return table, arrays, steps

    def class_counts(self) -> dict[str, np.ndarray]:
        """Examples per class, as `begin` took them; `train` is empty if the run never started."""
        path = self.path / "class_counts.npz"
        return _read_npz(path) if path.exists() else {"train": np.zeros(0, np.int64)}

    # -- locks ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def lock(self) -> Iterator[bool]:
        """Hold the lock of this run; yields False, at once, if another process has it."""
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / ".lock", "a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def is_locked(self) -> bool:
        """Whether some process holds the lock."""
        try:
            with open(self.path / ".lock") as handle:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def _host() -> dict[str, Any]:
    packages = ("optexp-jax", "jax", "flax", "optax", "numpy")
    versions = {name: importlib.metadata.version(name) for name in packages}
    return {
        "host": platform.node(),
        "pid": os.getpid(),
        "cores": os.cpu_count(),
        "versions": {"python": platform.python_version(), **versions},
    }


def _save_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    with aside(path) as new, new.open("wb") as handle:
        np.savez_compressed(handle, allow_pickle=False, **arrays)


def _save_parquet(path: Path, table: pd.DataFrame) -> None:
    with aside(path) as new:
        table.to_parquet(new, index=False)


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except Exception as error:  # a damaged archive raises zip, zlib, OS or value errors
        raise files.damaged(path, error) from error


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except Exception as error:  # Arrow raises its own kinds for damaged files
        raise files.damaged(path, error) from error


def _concatenate(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Parts after one another, the newest row of each step, in order of steps."""
    if not parts:
        return {"step": np.zeros(0, np.int64)}
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[-1]}
    steps = arrays["step"]
    last = len(steps) - 1 - np.unique(steps[::-1], return_index=True)[1]
    return {name: array[last] for name, array in arrays.items()}
