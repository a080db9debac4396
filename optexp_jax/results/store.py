"""The folder of one run in the workspace: its definition, status and rows."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from optexp_jax.atomic_write import atomic_write
from optexp_jax.errors import DamagedError, OptexpError, UnreadableError, unreadable
from optexp_jax.experiment import Experiment
from optexp_jax.identity import sources_of
from optexp_jax.numerics import settings_in_use
from optexp_jax.results import checked_files, rows, status
from optexp_jax.results.changes import changed_classes
from optexp_jax.results.integrity import entry_of, require_files, require_rows
from optexp_jax.results.locks import Lock
from optexp_jax.results.provenance import DROPOUT, host, now
from optexp_jax.results.rows import MERGED, Rows, merged_files
from optexp_jax.results.status import FINISHED

_TRIES = 100  # to read what another process renews

_DEFINITION, _COUNTS = "experiment.json", "class_counts.npz"


class RunFolder:
    """`<workspace>/experiments/<group>/<id>/`: definition, status and metrics of one run.

    Every chunk of rows is a pair of files, named by its range of steps. A resumed run writes the
    steps after its checkpoint again, and newer rows replace older ones. At the end all parts are
    merged. Only `begin` makes the folder: if it was moved or deleted, nothing makes it again.
    """

    def __init__(self, workspace: Path, experiment: Experiment, path: Path | None = None) -> None:
        self.workspace = workspace
        self.experiment = experiment
        self.path = path or workspace / "experiments" / experiment.group / experiment.id
        self.group = self.path.parent
        self._lock = Lock(self.path)
        self._known: dict[str, Any] | None = None

    # -- status ---------------------------------------------------------------------------------

    def read_status(self) -> dict[str, Any]:
        """Read `status.json`; empty if the run never started.

        Raises:
            DamagedError: the file has changed, or is of another run.
            UnreadableError: the file cannot be read.
        """
        return status.read(self.path / "status.json", self.experiment.id)

    def write_status(self, **changes: Any) -> None:
        """Change some entries of `status.json`.

        Raises:
            GoneError: the folder is not there any more.
            UnwritableError: it cannot be written.
        """
        entries = status.with_history(self._entries(), changes, now())
        with self._writing():
            status.write(self.path / "status.json", self.experiment.id, entries)
        self._known = entries if self._lock.is_mine else None

    def _entries(self) -> dict[str, Any]:
        """Return the status; from memory while this process runs the run."""
        return self.read_status() if self._known is None else self._known

    def status(self) -> str:
        """The status: done, diverged, failed, preempted, running, interrupted, damaged or missing.

        A killed run is still `running` in its file. But its lock is free, so it is interrupted.
        """
        try:
            return self.status_said(self.read_status())
        except (DamagedError, UnreadableError):
            return "damaged"

    def status_said(self, details: Mapping[str, Any]) -> str:
        """Return the status as `status` does, from the result of `read_status`.

        Raises:
            DamagedError: files of the run have changed, by a quick check.
            UnreadableError: a file cannot be read.
        """
        require_files(self.path, self.experiment, details)
        said = details.get("status", "missing")
        return "interrupted" if said == "running" and not self.is_locked() else said

    def begin(self, counts: Mapping[str, np.ndarray], **entries: Any) -> None:
        """Make the folder of a run that starts or resumes.

        Args:
            counts: examples per class `[num_classes]`: `train` of the training data, `tr` and `va`
                of the data on which training and validation metrics are measured.
            **entries: entries of the status.

        Raises:
            GoneError: the folder was moved or deleted since it was locked.
            UnwritableError: it cannot be written.
        """
        if not self._lock.is_mine:
            self.path.mkdir(parents=True, exist_ok=True)
        before = self.read_status()
        known = dict(before.get("files", {}))
        definition = self.experiment.to_json().encode()
        for name, content in (
            (_DEFINITION, definition),
            (_COUNTS, checked_files.arrays_bytes(counts)),
        ):
            known[name] = self._write(name, content)
        entries |= {
            "status": "running",
            "started": before.get("started", now()),
            "reason": None,
            "settings": settings_in_use(),
            "dropout": before.get("dropout") if "started" in before else DROPOUT,
            "files": known,
        }
        if sources := sources_of(self.experiment):
            entries["sources"] = sources
        self.write_status(**host(), **entries)

    def fail(self, reason: str, trace: str | None = None) -> None:
        """Set the status to failed, with the reason; recorded rows stay unchanged.

        A run whose status is damaged is left unchanged, so that you can inspect it.
        """
        with contextlib.suppress(DamagedError):
            self.write_status(status="failed", reason=reason)
        if trace:
            with self._writing():
                checked_files.write_text(self.path / "error.txt", trace, make_folder=False)

    def clear(self) -> None:
        """Delete all rows, parameters and the status of the run."""
        with self._writing():
            for path in self.path.glob("*"):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path.name != ".lock":
                    path.unlink(missing_ok=True)

    # -- rows -----------------------------------------------------------------------------------

    def changed_classes(self) -> list[str]:
        """Return the names of classes whose code has changed since the run started.

        Raises:
            DamagedError: the status is damaged.
            UnreadableError: it cannot be read.
        """
        return changed_classes(self.experiment, self.read_status())

    def append(
        self,
        table: Mapping[str, np.ndarray],
        per_class: Mapping[str, np.ndarray],
        per_class_steps: np.ndarray,
    ) -> None:
        """Store the rows of a chunk; whole or not at all, also when the process is killed.

        Raises:
            GoneError: the folder is not there any more.
            UnwritableError: it cannot be written.
        """
        if len(table["step"]):
            with self._writing():
                key = self.experiment.id
                rows.write_part(self.path, key, table, per_class, per_class_steps)

    def read_rows(self, by_class: bool = True) -> Rows:
        """Read all rows in order of steps: the table, the per-class arrays and their steps.

        Args:
            by_class: whether to read and check the per-class arrays.

        Raises:
            DamagedError: a file is damaged, gone, or of another run, or rows are missing.
            UnreadableError: a file cannot be read.
        """
        said, found = self._read_meanwhile(by_class)
        ended = said.get("status") in FINISHED
        found = found.up_to(said.get("step", 0)) if ended else found
        last = said.get("step", 0) if ended else _last(found)
        require_rows(self.path, self.experiment, found, said, last, by_class)
        return found

    def _read_meanwhile(self, by_class: bool) -> tuple[dict[str, Any], Rows]:
        """Read a consistent status and rows while another process may write them.

        That process replaces and merges parts, so a listed file may be gone when it is read.
        """
        tries = 0
        while True:
            said = self.read_status()
            merged = merged_files(self.path, said)
            try:
                key = self.experiment.id
                return said, rows.read(self.path, key, merged, by_class=by_class)
            except FileNotFoundError as error:
                tries += 1
                lost = Path(str(error))
                if lost.name in merged or tries == _TRIES:
                    raise checked_files.damaged(lost, "it is gone", self.path) from error

    def require_rows_before(self, step: int) -> None:
        """Check that a run that resumes at a step has all rows before it.

        Raises:
            DamagedError: rows are missing or damaged.
            UnreadableError: a file cannot be read.
        """
        said = self.read_status()
        found = rows.read(self.path, self.experiment.id, {}, lenient=True)
        require_rows(self.path, self.experiment, found, said, step - 1)

    def finish(self, how: str, step: int, **entries: Any) -> None:
        """Merge the parts into `metrics.parquet` and `per_class.npz`, then set the final status.

        Args:
            how: `done` or `diverged`.
            step: last step.
            **entries: entries of the status.

        Raises:
            DamagedError: rows are missing or damaged.
            GoneError: the folder is not there any more.
            UnwritableError: it cannot be written.
        """
        said, key = self._entries(), self.experiment.id
        parts = [part for kind in MERGED for part in rows.parts(self.path, kind)]
        before = merged_files(self.path, said)
        found = rows.read(self.path, key, before, lenient=True).up_to(step)
        require_rows(self.path, self.experiment, found, said | {"status": how}, step)
        counts = {MERGED["metrics"]: len(found.table), MERGED["per_class"]: len(found.steps)}
        known = {k: v for k, v in said.get("files", {}).items() if k not in counts}
        for name, content in rows.contents(found).items():
            known[name] = self._write(name, content) | {"rows": counts[name]}
        self.write_status(status=how, step=step, files=known, **entries)
        for part in parts:
            part.path.unlink(missing_ok=True)

    def is_finished(self) -> bool:
        """Return whether the run has ended and kept the parameters that its experiment keeps.

        Raises:
            DamagedError: the run has ended, but its files have changed.
            UnreadableError: a file cannot be read.
        """
        said = self.read_status()
        if said.get("status") not in FINISHED:
            return False
        require_files(self.path, self.experiment, said)
        return self.has_kept_before(said.get("step", 0))

    def has_ended(self) -> bool:
        """Return whether the run has ended by its status; False if that is damaged."""
        with contextlib.suppress(DamagedError, UnreadableError):
            return self.read_status().get("status") in FINISHED
        return False

    def damage(self) -> str | None:
        """Describe damage of the files of the run in a sentence; None if none is found.

        Files whose size and time match the status are not read; `read_rows` reads them.
        """
        try:
            require_files(self.path, self.experiment, self.read_status())
        except (DamagedError, UnreadableError) as error:
            return str(error)
        return None

    def final_files(self) -> list[Path]:
        """Return the merged files of a run that has ended."""
        found = [self.path / name for name in MERGED.values()]
        return [path for path in found if path.exists()]

    def class_counts(self, details: Mapping[str, Any] | None = None) -> dict[str, np.ndarray]:
        """Return the examples per class from `begin`; `train` is empty if the run never started.

        Args:
            details: result of `read_status`, if the caller has it.

        Raises:
            DamagedError: the file is damaged, gone, or of another run.
            UnreadableError: it cannot be read.
        """
        said = self.read_status() if details is None else details
        if "started" not in said:
            return {"train": np.zeros(0, np.int64)}
        counts = self._arrays(self.path / _COUNTS, said)
        kinds = {(array.ndim, array.dtype.kind) for array in counts.values()}
        if "train" not in counts or kinds != {(1, "i")}:
            raise checked_files.damaged(self.path / _COUNTS, "it does not hold numbers of examples")
        return counts

    # -- parameters -----------------------------------------------------------------------------

    def keep_parameters(self, step: int, parameters: Mapping[str, np.ndarray]) -> None:
        """Store the parameters at a step, path -> array."""
        path = self._parameters_path(step)
        with self._writing():
            path.parent.mkdir(exist_ok=True)
            with atomic_write(path, make_folder=False) as new, new.open("wb") as handle:
                every: dict[str, Any] = dict(parameters)
                np.savez_compressed(handle, **every)
            entry = entry_of(path, checked_files.digest_of(self.experiment.id, path))
        self.write_status(files=self._entries().get("files", {}) | {self._name(path): entry})

    def read_parameters(self, step: int) -> dict[str, np.ndarray]:
        """Read the parameters kept at a step, path -> array.

        Raises:
            OptexpError: no parameters were kept at this step, or the file is damaged.
        """
        if not self._parameters_path(step).exists():
            raise OptexpError(
                f"Experiment {self.experiment.short_id} saved no parameters at step {step}: add "
                "the step to keep_steps and run it again with --force.",
                code="parameters-not-kept",
                experiment=self.experiment.short_id,
                step=step,
            )
        return self._arrays(self._parameters_path(step), self.read_status())

    def has_kept_before(self, step: int) -> bool:
        """Return whether the run has all parameters that it keeps before a step."""
        return all(
            self._parameters_path(k).exists() for k in self.experiment.keep_steps if k <= step
        )

    def _parameters_path(self, step: int) -> Path:
        return self.path / "parameters" / f"step-{step:010d}.npz"

    def _name(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()

    def _arrays(self, path: Path, said: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Read the arrays of a file; check its hash, unless version 0.1.0 wrote it."""
        try:
            content = checked_files.read_bytes(path)
        except FileNotFoundError as error:
            raise checked_files.damaged(path, "it is gone", self.path) from error
        entry = said.get("files", {}).get(self._name(path))
        if entry and checked_files.digest(self.experiment.id, content) != entry["sha256"]:
            raise checked_files.damaged(path, "its content has changed", self.path)
        return checked_files.arrays_from(path, content)

    def _write(self, name: str, content: bytes) -> dict[str, Any]:
        """Write a file; what the status says of it."""
        with self._writing():
            checked_files.write_bytes(self.path / name, content, make_folder=False)
            return entry_of(self.path / name, checked_files.digest(self.experiment.id, content))

    # -- locks ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def lock(self) -> Iterator[bool]:
        """Hold the lock of this run in the block; yield False at once if another process has it.

        Raises:
            UnwritableError: the folder cannot be made or written.
        """
        with checked_files.writing(self.workspace):
            self.path.mkdir(parents=True, exist_ok=True)
            taken = self._lock.take()
        try:
            yield taken
        finally:
            self._known = None
            self._lock.release()

    def is_locked(self) -> bool:
        """Return whether some process holds the lock."""
        try:
            return self._lock.is_taken()
        except OSError as error:
            raise unreadable(self.path / ".lock", error) from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Refuse to write, in the block, if another folder has replaced the locked one."""
        if not self._lock.is_in_place():
            raise checked_files.gone(self.path)
        with checked_files.writing(self.path):
            yield


def _last(found: Rows) -> int:
    """Return the last step of some rows; -1 if there are none."""
    steps = found.table["step"].to_numpy()
    return int(steps[-1]) if len(steps) else -1
