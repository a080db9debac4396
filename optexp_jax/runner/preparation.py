"""Find missing data of experiments, and prepare data sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from optexp_jax.datasets.data import CountsClasses, Dataset, InFiles, Report
from optexp_jax.datasets.loading import loaded
from optexp_jax.datasets.preparing import prepare_once
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment


def missing_data(experiments: Iterable[Experiment], workspace: Path) -> dict[Experiment, str]:
    """Find experiments whose data are missing, without a network.

    Returns:
        experiment -> a sentence that says what is missing and how to get it.
    """
    known: dict[Dataset, str | None] = {}
    sentences = {}
    for experiment in experiments:
        dataset = experiment.problem.dataset
        if isinstance(dataset, InFiles):
            if dataset not in known:
                known[dataset] = dataset.missing(workspace)
            if known[dataset] is not None:
                sentences[experiment] = known[dataset]
    return sentences


def data_of(experiments: Iterable[Experiment]) -> list[Dataset]:
    """List the data sets of experiments, without duplicates; those drawn from a seed, per seed."""
    return list(dict.fromkeys(e.problem.with_data_seed(e.seed).dataset for e in experiments))


def class_counts_of(dataset: Dataset, workspace: Path) -> np.ndarray:
    """Count the training examples of each class, if possible without loading the inputs.

    Returns:
        counts, `[num_classes]`.

    Raises:
        OptexpError: the data are missing or damaged.
    """
    if isinstance(dataset, CountsClasses):
        return dataset.class_counts(workspace)
    return loaded(dataset, workspace).class_counts


def prepare(
    datasets: Sequence[Dataset], workspace: Path, report: Report
) -> tuple[list[Dataset], list[str]]:
    """Prepare data sets; a failure does not stop the others.

    Returns:
        the prepared data sets, and a sentence for each failure.
    """
    ready, failures = [], []
    for dataset in datasets:
        try:
            if isinstance(dataset, InFiles):
                prepare_once(dataset, workspace, report)
                class_counts_of(dataset, workspace)  # reads the files that loading reads
            ready.append(dataset)
        except OptexpError as error:
            failures.append(str(error))
    return ready, list(dict.fromkeys(failures))
