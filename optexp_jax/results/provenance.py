"""Record where and how a run is made: time, host, versions and settings, for its status."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Mapping
from typing import Any

from optexp_jax.experiment import Experiment
from optexp_jax.numerics import settings_in_use
from optexp_jax.registry import is_ours
from optexp_jax.version import VERSION

# How dropout draws its random numbers, as a status says it.
DROPOUT = "by example"


def now() -> str:
    """Return the local time to the second, with its zone."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def changes_since(said: Mapping[str, Any]) -> str | None:
    """Return versions and settings of a status that differ from this process; None for none.

    >>> changes_since({"versions": {"jax": "0.4.1"}})
    'jax 0.4.1'
    """
    here = host()["versions"] | settings_in_use()
    before = dict(said.get("versions", {})) | dict(said.get("settings", {}))
    changed = [f"{name} {value}" for name, value in before.items() if here.get(name) != value]
    if "settings" in said:
        changed += [f"no {name}" for name in settings_in_use() if name not in before]
    return ", ".join(changed) or None


def draws_otherwise(experiment: Experiment, said: Mapping[str, Any]) -> bool:
    """Return whether dropout of a run drew other random numbers when the run started.

    Versions before `DROPOUT` was recorded drew them by batch. A model of your own may drop entries
    without a field that says so.
    """
    model = experiment.problem.model
    drops = [getattr(model, name, 0) for name in ("dropout", "hidden_dropout")]
    return said.get("dropout") != DROPOUT and (any(drops) or not is_ours(type(model)))


def differences(first: Experiment, said: Mapping[str, Any], step: int) -> list[str]:
    """Say why rows of a pack may differ after a resume.

    Args:
        first: an experiment of the pack.
        said: its status.
        step: at which the pack resumes.
    """
    runs, found = f"{first.short_id} and the runs of its pack started with", []
    if changed := changes_since(said):
        found.append(f"{runs} {changed}: rows from step {step} on may differ in their last digits.")
    if draws_otherwise(first, said):
        found.append(
            f"{runs} a version in which dropout drew other random numbers than it does from step "
            f"{step} on: use --force to start them again."
        )
    return found


def host() -> dict[str, Any]:
    """Return the host, process, cores and versions of this process."""
    packages = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")
    # Our own also where it runs from a checkout that nobody installed.
    versions = {"optexp-jax": VERSION}
    versions |= {name: importlib.metadata.version(name) for name in packages}
    return {
        "host": platform.node(),
        "pid": os.getpid(),
        "cores": os.cpu_count(),
        "versions": {"python": platform.python_version(), **versions},
    }
