"""How long it takes to list, check, select and plot a workspace of many finished runs, on one core.

python -m benchmarks.results                 2,000 runs, made in a temporary folder
python -m benchmarks.results --runs 200      fewer
python -m benchmarks.results --workspace W   made there if it holds none, and kept
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from optexp_jax import Experiment, Problem, plotting
from optexp_jax.datasets import Digits
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, LearningRate, NormalizedGD, SignDescent
from optexp_jax.results.__main__ import main as command
from optexp_jax.results.load import Results, read_results
from optexp_jax.results.selection import best_rates
from optexp_jax.results.store import RunFolder
from optexp_jax.results.workspace import groups, recorded_runs
from optexp_jax.schedule import Schedule

GROUP = "many"
STEPS = 200
CLASSES = 10
_KINDS = (SGD, Adam, NormalizedGD, SignDescent)
_SEEDS = 10
_FIELDS: dict[str, Any] = {"group": GROUP, "steps": STEPS, "per_class": True}


def many(runs: int) -> list[Experiment]:
    """Experiments of one problem: four methods, ten seeds, and as many rates as it takes."""
    problem = Problem(Linear(64, CLASSES), Digits(), CrossEntropy())
    rates = math.ceil(runs / (len(_KINDS) * _SEEDS))
    found = [
        Experiment(problem, kind(LearningRate(f"{e - rates}/8")), seed=seed, **_FIELDS)
        for e in range(rates)
        for seed in range(_SEEDS)
        for kind in _KINDS
    ]
    return found[:runs]


def record(workspace: Path, experiment: Experiment) -> None:
    """Made-up rows of a run, stored where and as a run stores its own."""
    schedule = Schedule.of(experiment, 1500)
    steps = schedule.recorded(0, schedule.total + 1)
    classes = schedule.by_class(steps)
    speed = 3 * float(experiment.optimizer.learning_rate) ** 0.1 + 0.01 * experiment.seed
    counts = np.linspace(300, 100, CLASSES).astype(np.int64)
    by_class = math.log(CLASSES) * np.exp(-np.outer(steps / STEPS, speed * counts / counts[0]))
    loss = by_class @ counts / counts.sum()
    columns = {
        f"{split}_{name}": values
        for split in ("tr", "va")
        for name, values in (("CrossEntropyLoss", loss), ("Accuracy", np.exp(-loss)))
    }
    arrays = {f"{c}PerClass": by_class[classes].astype(np.float32) for c in columns}
    folder = RunFolder(workspace, experiment)
    with folder.lock():
        folder.begin({"train": counts, "tr": counts, "va": counts}, total_steps=STEPS)
        folder.append({"step": steps, "epoch": steps, **columns}, arrays, classes)
        folder.finish("done", STEPS, pack_seconds=1.0)


def measure(workspace: Path) -> dict[str, float]:
    """Seconds that each thing takes, with all that has to be read for it."""
    folders = recorded_runs(workspace, GROUP).runs
    called = {
        "list": ["list", GROUP],
        "verify": ["verify"],
        "du": ["du"],
        "export to parquet": ["export", GROUP, "--format", "parquet"],
        "export to csv, by class": ["export", GROUP, "--format", "csv", "--per-class"],
    }
    found = {name: seconds(lambda argv=argv: _called(argv)) for name, argv in called.items()}

    def reading(use: Callable[[list[Results]], object]) -> float:
        return seconds(lambda: use([read_results(folder) for folder in folders]))

    return found | {
        "select: best_rates": reading(best_rates),
        "plot: final_against_rate": reading(plotting.final_against_rate),
        "plot: best_over_time": reading(plotting.best_over_time),
        "plot: per_class": reading(plotting.per_class),
    }


def seconds(function: Callable[[], object]) -> float:
    """Time of a call; the disk was read before."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def _called(argv: list[str]) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        code = command(argv)
    assert code == 0, argv


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--workspace", type=Path)
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # not on macOS
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as temporary:
        workspace = args.workspace or Path(temporary)
        os.environ["OPTEXP_WORKSPACE"] = str(workspace)
        if GROUP not in groups(workspace):
            for experiment in many(args.runs):
                record(workspace, experiment)
        table = Table(title=f"{len(recorded_runs(workspace, GROUP).runs)} runs, one core")
        table.add_column("what")
        table.add_column("seconds", justify="right")
        for name, taken in measure(workspace).items():
            table.add_row(name, f"{taken:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
