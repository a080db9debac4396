"""Make tidy tables of runs: a row for each run and step, or each run, step and class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from optexp_jax.experiment import Experiment
from optexp_jax.identity import canonical, encode_fields
from optexp_jax.optim import kind_of
from optexp_jax.results.load import Results

_BY_CLASS = ("class", "count", "frequency_group")
_OF_RUNS = ("group", "id", "optimizer", "learning_rate", "lr", "seed", "status")
_TAKEN = {*_OF_RUNS, "step", "epoch", *_BY_CLASS}


def to_frame(results: Results | Sequence[Results], per_class: bool = False) -> pd.DataFrame:
    """Make one tidy table of results, for pandas, seaborn or R.

    Args:
        results: a run, or a list of runs.
        per_class: whether to make a row for each class.

    Returns:
        the columns of `by_step`, or of `by_class`.

    >>> from optexp_jax import LearningRate, Problem, load_results
    >>> from optexp_jax.datasets import HeavyTailedOneHot
    >>> from optexp_jax.losses import SquaredLoss
    >>> from optexp_jax.models import Linear
    >>> from optexp_jax.optim import SGD
    >>> problem = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), SquaredLoss())
    >>> run = Experiment(problem, SGD(LearningRate(-1)), group="demo", steps=3)
    >>> list(to_frame(load_results(run)).columns[:6])
    ['group', 'id', 'optimizer', 'learning_rate', 'lr', 'momentum']
    """
    several = [results] if isinstance(results, Results) else list(results)
    return by_class(several) if per_class else by_step(several)


def by_step(results: Sequence[Results]) -> pd.DataFrame:
    """Return a table with a row for each run and recorded step.

    Args:
        results: runs, in the order of the table.

    Returns:
        columns `group`, `id`, `optimizer`, `learning_rate` (exact, such as `10^-3/2`), `lr` (the
        same as a number), the other fields of the optimizers, `seed`, `status`, `step`, `epoch` and
        the metrics. Values that a run lacks are NaN.
    """
    return _joined(results, [rows_of(r) for r in results], ())


def by_class(results: Sequence[Results]) -> pd.DataFrame:
    """Return a table with a row for each run, step with per-class arrays, and class.

    Returns:
        columns as in `by_step`, then `class`, `count` (its training examples), `frequency_group` (0
        for the most frequent classes; -1 for a class in none) and the metrics by class.
    """
    return _joined(results, [rows_of(r, by_class=True) for r in results], _BY_CLASS)


def known_of(experiment: Experiment, status: str) -> dict[str, Any]:
    """Return columns with one value per run; fields other than numbers and text as JSON."""
    optimizer = experiment.optimizer
    fields = {
        f"optimizer_{name}" if name in _TAKEN else name: value
        for name, value in encode_fields(optimizer).items()
        if name != "learning_rate"
    }
    return {
        "group": experiment.group,
        "id": experiment.id,
        "optimizer": kind_of(optimizer),
        "learning_rate": str(optimizer.learning_rate),
        "lr": float(optimizer.learning_rate),
        **{n: canonical(v) if isinstance(v, list | dict) else v for n, v in fields.items()},
        "seed": experiment.seed,
        "status": status,
    }


def rows_of(r: Results, by_class: bool = False) -> pd.DataFrame:
    """Return the columns that differ between the rows of a run."""
    return _of_classes(r) if by_class else r.table


def _joined(
    results: Sequence[Results], tables: Sequence[pd.DataFrame], extra: tuple[str, ...]
) -> pd.DataFrame:
    runs = _runs(results)
    index = np.repeat(np.arange(len(runs)), [len(table) for table in tables])
    known = runs.iloc[index].reset_index(drop=True)
    # First an empty table, for the types and the order of columns.
    whole, number = np.zeros(0, np.int64), np.zeros(0)
    last = pd.DataFrame({"step": whole, "epoch": number, **dict.fromkeys(extra, whole)})
    return pd.concat([known, pd.concat([last, *tables], ignore_index=True)], axis=1)


def _runs(results: Sequence[Results]) -> pd.DataFrame:
    """Return a table with a row for each run."""
    runs = [known_of(r.experiment, r.status) for r in results]
    fields = dict.fromkeys(name for run in runs for name in run if name not in _TAKEN)
    names = (*_OF_RUNS[:5], *fields, *_OF_RUNS[5:])
    return pd.DataFrame({name: _alike([run.get(name) for run in runs]) for name in names})


def _alike(values: list[Any]) -> list[Any]:
    """Return the values of a column; all as JSON if it mixes numbers and text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} or len(kinds) == 1:
        return values
    return [None if value is None else canonical(value) for value in values]


def _of_classes(r: Results) -> pd.DataFrame:
    """Return per-class arrays as a table, with classes as the innermost axis."""
    rows, classes = len(r.per_class_steps), len(r.class_counts)
    epochs = r.table.reindex(columns=["step", "epoch"]).set_index("step")["epoch"]
    table = {
        "step": np.repeat(r.per_class_steps, classes),
        "epoch": np.repeat(epochs.reindex(r.per_class_steps).to_numpy(float), classes),
        "class": np.tile(np.arange(classes), rows),
        "count": np.tile(r.class_counts, rows),
        "frequency_group": np.tile(_groups_of(r), rows),
    }
    return pd.DataFrame(table | {name: a.reshape(-1) for name, a in r.per_class.items()})


def _groups_of(r: Results) -> np.ndarray:
    """Return the frequency group of each class, `[num_classes]`."""
    found = np.full(len(r.class_counts), -1, np.int64)
    if len(found):
        for i, group in enumerate(r.experiment.problem.dataset.groups(r.class_counts)):
            found[group] = i
    return found
