"""Write and read manifests: a file beside the script of an array lists the runs of its tasks."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from optexp_jax.errors import OptexpError, tell_from_damage
from optexp_jax.results import checked_files

Run = tuple[str, str]  # group and experiment id


@dataclasses.dataclass(frozen=True)
class Manifest:
    """Describe an array of tasks.

    Args:
        command: the command, such as `["python", "-m", "experiments.linreg"]`, with `--scale`.
        folder: where the command was called.
        workspace: of the results.
        commit: of the code, with a `+` if files had changed; None outside of a git repository.
        created: local time.
        options: how to launch runs, the fields of `RunOptions`.
        processes: how many train one pack together.
        max_requeues: how often a task may be requeued.
        tasks: the packs of each task, and the runs of each pack; packs of a task share its device.
        scheduler: name of the scheduler; the file omits it for the first one, SLURM.
        container: Apptainer image in which runs train; the file omits it if there is none.
    """

    command: tuple[str, ...]
    folder: str
    workspace: str
    commit: str | None
    created: str
    options: dict[str, Any]
    processes: int
    max_requeues: int
    tasks: tuple[tuple[tuple[Run, ...], ...], ...]
    scheduler: str = "slurm"
    container: str = ""

    @property
    def runs(self) -> list[Run]:
        """Return the runs of all tasks."""
        return [run for packs in self.tasks for pack in packs for run in pack]

    def write(self, path: Path) -> None:
        """Write the manifest, with one pack per line."""
        document = dataclasses.asdict(self) | {"tasks": "@"}
        if self.scheduler == "slurm":
            del document["scheduler"]
        if not self.container:
            del document["container"]
        lines = ",\n".join(f"  {json.dumps(packs)}" for packs in self.tasks)
        text = json.dumps(document, indent=1).replace('"@"', f"[\n{lines}\n ]")
        checked_files.write_text(path, text + "\n")

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest.

        Raises:
            OptexpError: the manifest does not exist, or is damaged.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            tasks = tuple(
                tuple(tuple((group, key) for group, key in pack) for pack in packs)
                for packs in document["tasks"]
            )
            return cls(**document | {"tasks": tasks, "command": tuple(document["command"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            tell_from_damage(path, error)
            raise OptexpError(
                f"The manifest {path} cannot be read ({error}): submit again with --slurm.",
                code="manifest-unreadable",
                path=path,
                why=error,
            ) from error


def commit_of(folder: Path) -> str | None:
    """Return the commit of the code in a folder, with a `+` if files differ; None without git."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=True
        )
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD") + "+" * bool(git("status", "--porcelain", "-uno"))
    except (OSError, subprocess.CalledProcessError):
        return None


def now() -> str:
    """Return the local time in the format of files."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def in_tasks(packs: Sequence[tuple[Run, ...]], per_task: int) -> list[tuple[tuple[Run, ...], ...]]:
    """Split packs into tasks of so many packs each.

    >>> in_tasks([(("g", "a"),), (("g", "b"),), (("g", "c"),)], per_task=2)
    [((('g', 'a'),), (('g', 'b'),)), ((('g', 'c'),),)]
    """
    return [tuple(packs[i : i + per_task]) for i in range(0, len(packs), per_task)]
