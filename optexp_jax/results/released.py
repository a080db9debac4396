"""Read the files of the runs that the authors of the paper released.

Their code keeps a table for each run, with one row for each evaluation:

    wandb_cache/<group>/<release id>.parquet            as it was fetched from wandb
    experiments/<problem>/<release id>/<time>.csv       as it was written on the machine that ran it

A release id is the SHA-1 of their definition of the run, 40 hexadecimal digits. The columns are
`epoch` (or `step`, for GPT-2) and metrics named as here, with a list of numbers in each row for
metrics by class; validation is `va_`, for GPT-2 `val_`. There are no class counts, which come from
the data set, and no parameters. A run that diverged ends before its last epoch.

Source: how the paper's code reads them (fKunstner/class-imbalance-sgd-adam, commit f67a9fa).
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from optexp_jax.datasets import WikiText103
from optexp_jax.datasets.classes import counts_of
from optexp_jax.datasets.data import CountsClasses, Dataset
from optexp_jax.datasets.loading import loaded
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.results.load import Results

PLACES = ("wandb_cache/*/{}.parquet", "experiments/*/{}/*.csv")

_SPLITS = {"tr": "tr", "va": "va", "val": "va"}
_WHOLE = 0.999  # of 10,001 rows wandb hands out 10,000, perhaps without the last


def find_released(workspace: Path, release_id: str) -> Path | None:
    """Find the file of a released run: the newest one; None if there is none."""
    for place in PLACES:
        found = sorted(workspace.glob(place.format(release_id)), key=lambda path: path.name)
        if found:
            return found[-1]
    return None


def load_released(experiment: Experiment, workspace: Path, release_id: str | None) -> Results:
    """Load the authors' run of an experiment.

    Args:
        experiment: the experiment in this library.
        workspace: folder with the extracted archive of released runs, and with data sets.
        release_id: id of the run; None if it was not released.

    Returns:
        `Results` with status done, diverged or missing; `details` name the file.

    Raises:
        OptexpError: the file is damaged or of another kind of run, or the data set is missing,
            whose class counts are needed.
    """
    path = find_released(workspace, release_id) if release_id else None
    if path is None:
        nothing = pd.DataFrame({"step": []})
        empty = np.empty(0)
        return Results(experiment, "missing", nothing, {}, empty, empty, {}, source="paper")
    try:
        rows = _rows(path, experiment)
        columns, arrays = _scalars(rows, experiment), _arrays(rows, experiment)
    except (ValueError, TypeError, OSError) as error:
        raise OptexpError(
            f"The released run {path} cannot be read ({error}): extract the archive again.",
            code="released-run-unreadable",
            path=path,
            why=error,
        ) from error
    known = _needed(experiment, workspace)
    per_epoch = experiment.problem.batching.steps_per_epoch(known.examples)
    steps = rows.index.to_numpy() * (1 if experiment.steps else per_epoch)
    counts = dict(known.counts)
    return Results(
        experiment=experiment,
        status=_status(rows, experiment),
        table=pd.DataFrame({"step": steps, "epoch": steps / per_epoch, **columns}),
        per_class=arrays,
        per_class_steps=steps if arrays else np.empty(0, np.int64),
        class_counts=counts.pop("train", np.zeros(0, np.int64)),
        details={"file": str(path), "step": int(steps[-1]) if len(steps) else 0},
        measured_counts=counts,
        source="paper",
    )


def _status(rows: pd.DataFrame, experiment: Experiment) -> str:
    length = experiment.steps or experiment.epochs or 0
    return "done" if len(rows) and rows.index[-1] >= _WHOLE * length else "diverged"


# ----------------------------------------------------------------------------------------- files


def _rows(path: Path, experiment: Experiment) -> pd.DataFrame:
    """Return the rows by epoch or by step, as the experiment counts; may be empty."""
    rows = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    rows = rows.rename(columns={name: _here(name) for name in rows.columns})
    time = "step" if experiment.steps else "epoch"
    if not len(rows):
        return pd.DataFrame(index=pd.Index([], dtype=np.int64))
    if time not in rows.columns:
        raise ValueError(f"it has no column '{time}'")
    rows = rows.dropna(subset=[time]).astype({time: np.int64})
    return rows.drop_duplicates(time, keep="last").set_index(time).sort_index()


def _here(name: str) -> str:
    """Return the name of a column in this library."""
    split, _, metric = name.partition("_")
    return f"{_SPLITS[split]}_{metric}" if split in _SPLITS else name


def _scalars(rows: pd.DataFrame, experiment: Experiment) -> dict[str, np.ndarray]:
    # wandb writes what is not finite as a word.
    names = _metrics(rows, experiment, "")
    return {name: np.asarray(pd.to_numeric(rows[name]), np.float64) for name in names}


def _arrays(rows: pd.DataFrame, experiment: Experiment) -> dict[str, np.ndarray]:
    """Return metrics by class, `[rows, num_classes]`; NaN for classes after the last recorded."""
    classes = experiment.problem.dataset.num_classes
    arrays = {}
    for name in _metrics(rows, experiment, "PerClass") if experiment.per_class else ():
        arrays[name] = np.full((len(rows), classes), np.nan, np.float32)
        for row, cell in zip(arrays[name], rows[name], strict=True):
            values = _numbers(cell)
            if len(values) > classes:
                raise ValueError(f"{name} has {len(values)} classes, not {classes}")
            row[: len(values)] = values
    return arrays


def _metrics(rows: pd.DataFrame, experiment: Experiment, ending: str) -> list[str]:
    names = (experiment.problem.loss.name, "Accuracy")
    wanted = [f"{split}_{name}{ending}" for split in ("tr", "va") for name in names]
    return [name for name in wanted if name in rows.columns]


def _numbers(cell: Any) -> np.ndarray:
    """Return the numbers of a cell: a list, a list as text, or nothing."""
    if isinstance(cell, str):
        cell = cell.strip("[]").replace("'", "").split(",")
    return np.asarray(cell, np.float32) if np.ndim(cell) else np.empty(0, np.float32)


# ------------------------------------------------------------------------------------------ data


class _Known(NamedTuple):
    """Counts that the files lack: examples per class, as in `Results`, and training examples."""

    counts: dict[str, np.ndarray]
    examples: int


def _needed(experiment: Experiment, workspace: Path) -> _Known:
    """Return the counts that are needed; load the data set only if any are."""
    problem = experiment.problem.with_data_seed(experiment.seed)
    if problem.batching.is_full and not experiment.per_class:
        return _Known({}, 0)
    return _known(problem.dataset, workspace)


@functools.lru_cache(maxsize=16)
def _known(dataset: Dataset, workspace: Path) -> _Known:
    if isinstance(dataset, CountsClasses):
        counts = dataset.class_counts(workspace)
        return _Known({"train": counts, "tr": counts}, int(counts.sum()))
    data = loaded(dataset, workspace)
    # The authors measure training on all of it, also where we take a part.
    counts = {"train": data.class_counts, "tr": data.class_counts}
    if data.validation is not None:
        counts["va"] = counts_of(data.validation.labels, len(data.class_counts))
    if isinstance(dataset, WikiText103):
        order = _by_frequency(data.class_counts)
        counts = {name: array[order] for name, array in counts.items()}
    return _Known(counts, len(data.train))


def _by_frequency(counts: np.ndarray) -> np.ndarray:
    """Return our tokens in the order of the authors: the unknown token, then by frequency.

    Their vocabulary is of another library, so class k gets the count of our k-th token. This is
    close enough to group classes: both vocabularies have the same size and are of the same text.
    """
    return np.concatenate([[0], 1 + np.argsort(-counts[1:], kind="stable")])
