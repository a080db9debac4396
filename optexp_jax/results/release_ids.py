"""Match experiments with the runs that the authors of the paper released."""

from __future__ import annotations

import csv
import functools
import gzip
from collections.abc import Sequence
from pathlib import Path

from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.optim import momentum_of
from optexp_jax.results.load import Results
from optexp_jax.results.released import PLACES, load_released

REPOSITORY = "fKunstner/class-imbalance-sgd-adam"  # the archive is in its release section

# Groups are named as here: one of the paper's is two by mistake.
_IDS = Path(__file__).with_name("release_ids.csv.gz")


def release_id(experiment: Experiment) -> str | None:
    """Return the id of the authors' run of an experiment; None if they released none."""
    optimizer = experiment.optimizer
    name, rate = type(optimizer).__name__, str(optimizer.learning_rate)
    key = (experiment.group, name, rate, f"{momentum_of(optimizer):g}", str(experiment.seed))
    return _ids().get(key)


def load(experiment: Experiment, workspace: Path) -> Results:
    """Load the authors' run of an experiment; its status is `missing` without a file."""
    return load_released(experiment, workspace, release_id(experiment))


def require_released(group: str) -> None:
    """Refuse a group if the authors released none of its runs.

    Raises:
        OptexpError: they released none.
    """
    if group not in _groups():
        raise OptexpError(
            f"The authors released no run of '{group}': leave out the source 'paper'.",
            code="group-not-released",
            group=group,
        )


def require_here(results: Sequence[Results], workspace: Path) -> None:
    """Raise an error if the workspace has no released run of a group.

    Raises:
        OptexpError: there is none; the message says where to get them and where to put them.
    """
    if results and all(r.status == "missing" for r in results):
        group = results[0].experiment.group
        raise OptexpError(
            f"There is no released run of '{group}' in {workspace}: extract the archive "
            f"released by {REPOSITORY} into it, so that it has wandb_cache/ or experiments/.",
            code="released-runs-not-here",
            group=group,
            workspace=workspace,
        )


def remedy(workspace: Path, experiments: list[Experiment]) -> str:
    """Return why runs are missing and what to do, as the end of a sentence."""
    ids = [release_id(experiment) for experiment in experiments]
    if not any(ids):
        return f"the paper released no run of '{experiments[0].group}': leave out --source paper"
    places = " or ".join(str(workspace / place.format("<release id>")) for place in PLACES)
    return (
        f"the released runs of '{experiments[0].group}' should be in {places}: extract the "
        f"archive in the release section of {REPOSITORY} into {workspace} (nothing is downloaded)"
    )


@functools.cache
def _ids() -> dict[tuple[str, ...], str]:
    with gzip.open(_IDS, "rt", encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    return {tuple(row[:-1]): row[-1] for row in rows}


@functools.cache
def _groups() -> frozenset[str]:
    return frozenset(key[0] for key in _ids())
