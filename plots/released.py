"""Which of the paper's released runs is which experiment, and where its file is looked for."""

from __future__ import annotations

import csv
import functools
import gzip
from pathlib import Path

from optexp_jax.experiment import Experiment
from optexp_jax.optim import momentum_of
from optexp_jax.results.load import Results
from optexp_jax.results.released import PLACES, load_released

# Groups are named as here: one of the paper's is two by mistake.
_IDS = Path(__file__).with_name("release_ids.csv.gz")


def release_id(experiment: Experiment) -> str | None:
    """The id of the authors' run of an experiment, None where they released none.

    >>> from experiments.vision.mnist_only import experiments
    >>> release_id(experiments[0])
    '8f02539b4d4f24517b7b1f3a4cad23808d4e36e6'
    """
    optimizer = experiment.optimizer
    name, rate = type(optimizer).__name__, str(optimizer.learning_rate)
    key = (experiment.group, name, rate, f"{momentum_of(optimizer):g}", str(experiment.seed))
    return _ids().get(key)


def load(experiment: Experiment, workspace: Path) -> Results:
    """What the authors' run of an experiment recorded; status `missing` where it is not here."""
    return load_released(experiment, workspace, release_id(experiment))


def remedy(workspace: Path, experiments: list[Experiment]) -> str:
    """Why runs are missing, and what to do: the end of a sentence."""
    ids = [release_id(experiment) for experiment in experiments]
    if not any(ids):
        return f"the paper released no run of '{experiments[0].group}': leave out --source paper"
    places = " or ".join(str(workspace / place.format("<release id>")) for place in PLACES)
    return (
        f"the released runs of '{experiments[0].group}' are looked for as {places}: extract the "
        f"archive that the paper's code releases into {workspace} (nothing is downloaded)"
    )


@functools.cache
def _ids() -> dict[tuple[str, ...], str]:
    with gzip.open(_IDS, "rt", encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    return {tuple(row[:-1]): row[-1] for row in rows}
