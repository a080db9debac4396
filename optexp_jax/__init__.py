"""optexp-jax: which classes does your optimizer leave behind?

The names below are imported when first used, so that `import optexp_jax.optim` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from optexp_jax.version import VERSION

if TYPE_CHECKING:
    from optexp_jax.batching import FullBatch, MiniBatch
    from optexp_jax.config import use_wandb_project
    from optexp_jax.experiment import Experiment
    from optexp_jax.optim import LearningRate, lr_grid
    from optexp_jax.plotting import (
        plot_best_runs,
        plot_final_loss,
        plot_heat_map,
        plot_per_class,
    )
    from optexp_jax.problem import Problem
    from optexp_jax.registry import register
    from optexp_jax.results.load import Results, load_results
    from optexp_jax.results.selection import best_runs
    from optexp_jax.results.tidy import to_frame
    from optexp_jax.results.workspace import load_group
    from optexp_jax.runner.api import run

__version__ = VERSION

_HOME = {
    "Experiment": "optexp_jax.experiment",
    "FullBatch": "optexp_jax.batching",
    "LearningRate": "optexp_jax.optim",
    "MiniBatch": "optexp_jax.batching",
    "Problem": "optexp_jax.problem",
    "Results": "optexp_jax.results.load",
    "best_runs": "optexp_jax.results.selection",
    "load_group": "optexp_jax.results.workspace",
    "load_results": "optexp_jax.results.load",
    "lr_grid": "optexp_jax.optim",
    "plot_best_runs": "optexp_jax.plotting",
    "plot_final_loss": "optexp_jax.plotting",
    "plot_heat_map": "optexp_jax.plotting",
    "plot_per_class": "optexp_jax.plotting",
    "register": "optexp_jax.registry",
    "run": "optexp_jax.runner.api",
    "to_frame": "optexp_jax.results.tidy",
    "use_wandb_project": "optexp_jax.config",
}

__all__ = [
    "Experiment",
    "FullBatch",
    "LearningRate",
    "MiniBatch",
    "Problem",
    "Results",
    "best_runs",
    "load_group",
    "load_results",
    "lr_grid",
    "plot_best_runs",
    "plot_final_loss",
    "plot_heat_map",
    "plot_per_class",
    "register",
    "run",
    "to_frame",
    "use_wandb_project",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'optexp_jax' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
