"""Find the schedulers: the packages here, each with a `SCHEDULER`."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from optexp_jax import schedulers
from optexp_jax.schedulers.base import Scheduler


@functools.cache
def all_schedulers() -> dict[str, Scheduler]:
    """Map the name of every scheduler to the scheduler.

    >>> list(all_schedulers())
    ['slurm']
    """
    modules = pkgutil.iter_modules(schedulers.__path__, f"{schedulers.__name__}.")
    packages = (importlib.import_module(m.name) for m in modules if m.ispkg)
    return {package.SCHEDULER.name: package.SCHEDULER for package in packages}
