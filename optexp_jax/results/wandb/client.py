"""Call wandb's client to send a run, wherever its rows come from."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from optexp_jax.errors import OptexpError
from optexp_jax.results.wandb.description import RunDescription

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
_CACHE = ".cache-"
_LEFT_OVER = 24 * 3600.0  # seconds
_NOT_NEEDED = ("logs", "tmp")  # of an offline record
_ADDRESS = re.compile(r"\S*(://|\d+\.\d+\.\d+\.\d+|host=|\w\.(ai|com|org|net|io)\b)\S*")
# What pydantic adds to its errors, the rejected value among it, which may be a key.
_DETAILS = re.compile(r"\s*\[type=[^]]*\]|\s*For further information visit \S+")


def start_module(module: str, argument: str, cache: Path) -> subprocess.Popen[str]:
    """Start a module of this library in a process that ignores Ctrl-C, with pipes to it.

    Args:
        module: its name; what it does ends with `clean_up`.
        argument: on its command line.
        cache: folder for what wandb caches, of `cache_in`.
    """
    root = str(Path(__file__).parents[3])  # it runs from a checkout, too
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    # What wandb takes from the environment only.
    names = {"WANDB_CACHE_DIR", "WANDB_DATA_DIR"} - set(os.environ)
    own = dict.fromkeys(names, str(cache))
    return subprocess.Popen(
        [sys.executable, "-m", module, argument],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env=os.environ | own | {"WANDB_ERROR_REPORTING": "false", "PYTHONPATH": path},
        start_new_session=True,
    )


def cache_in(workspace: Path) -> Path:
    """Make the folder in which wandb caches files while a process uses it.

    Raises:
        OSError: the workspace cannot be written.
    """
    return scratch(workspace, _CACHE)


def clean_up() -> None:
    """Remove the cache of this process, which `start_module` started."""
    folder = Path(os.environ.get("WANDB_CACHE_DIR", ""))
    if folder.name.startswith(_CACHE):
        shutil.rmtree(folder, ignore_errors=True)


def scratch(workspace: Path, prefix: str) -> Path:
    """Make a folder for temporary files, and remove those that killed commands left behind.

    Raises:
        OSError: the workspace cannot be written.
    """
    parent = workspace / "wandb"
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.glob(f"{prefix}*"):
        if old.stat().st_mtime < time.time() - _LEFT_OVER:
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))


def connect(mode: str) -> Any:
    """Import wandb and silence it.

    Args:
        mode: `offline` or `online`.

    Raises:
        OptexpError: the mode is `online`, and there is no key.
    """
    wandb = importlib.import_module("wandb")
    wandb.setup(settings=wandb.Settings(mode=mode, **_QUIET))
    if mode == "online" and not wandb.login(prompt=False):
        raise OptexpError(
            "There is no wandb key: run `wandb login` once, or set WANDB_API_KEY.",
            code="wandb-not-logged-in",
        )
    return wandb


def start(
    wandb: Any, description: RunDescription, config: Mapping[str, Any], folder: Path, mode: str
) -> Any:
    """Open a wandb run; online, resume it if it exists.

    Args:
        wandb: what `connect` returned.
        description: of the run.
        config: its columns.
        folder: that gets the folder `wandb`.
        mode: `offline` or `online`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = {k: v for k, v in _NOTHING_ELSE.items() if k in wandb.Settings.model_fields}
    run = wandb.init(
        dir=folder,
        project=description.project,
        entity=description.entity,
        group=description.group,
        name=description.name,
        tags=description.tags,
        id=description.wandb_id,
        config=dict(config),
        mode=mode,
        resume="allow" if mode == "online" else None,
        reinit="create_new",
        settings=wandb.Settings(**_QUIET, **known, stop_fn=_nothing),
    )
    run.define_metric("*", summary="none")  # else each row is kept twice
    return run


def log(run: Any, rows: Iterable[Mapping[str, float]]) -> None:
    """Add rows, each with its `step`, except those that wandb has already."""
    there = max(run.step, run.starting_step)
    for row in rows:
        if row["step"] >= there:
            values = {k: v for k, v in row.items() if k != "step"}
            run.log(values, step=int(row["step"]), commit=True)  # else the last one waits


def finish(
    wandb: Any,
    run: Any,
    summary: Mapping[str, Any],
    files: Iterable[Path],
    folder: Path,
    results: str,
) -> None:
    """Close a run that has ended.

    Args:
        wandb: what `connect` returned.
        run: what `start` returned.
        summary: of the run.
        files: sent as one artifact. They are not copied: an offline record names them.
        folder: that they are in.
        results: fingerprint of the rows.
    """
    run.summary.update(dict(summary))
    artifact = wandb.Artifact(f"results-{run.id}", type="results", metadata={"results": results})
    for file in files:
        name = file.relative_to(folder).as_posix()
        artifact.add_file(str(file.absolute()), name=name, policy="immutable", skip_cache=True)
    run.log_artifact(artifact)
    run.finish(exit_code=0)


def tidy(record: Path) -> None:
    """Remove files that an offline record does not need for its upload."""
    for name in _NOT_NEEDED:
        shutil.rmtree(record / name, ignore_errors=True)


def reason(error: BaseException) -> str:
    """Describe an error in one line, without network addresses and keys."""
    text = in_one_line(str(error))
    return text if isinstance(error, OptexpError) else f"{type(error).__name__}: {text}"


def in_one_line(text: str) -> str:
    """Remove network addresses and keys from a text, and put it on one line."""
    text = _DETAILS.sub("", " ".join(text.split()))
    key = os.environ.get("WANDB_API_KEY", "").strip()
    text = _ADDRESS.sub("[address]", text.replace(key, "[key]") if key else text)
    return text if len(text) <= 200 else text[:200] + "..."


def _nothing() -> None:
    pass
