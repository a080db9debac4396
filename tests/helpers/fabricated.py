"""Runs that nobody trained: rows of made-up losses, stored where a run stores its own."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from optexp_jax.datasets.data import CountsClasses
from optexp_jax.models.functional import functional
from optexp_jax.optim import SGD
from optexp_jax.results.store import RunFolder
from optexp_jax.schedule import Schedule
from optexp_jax.training.batches import as_inputs


def fabricate(workspace, experiment, spike=0.0):
    """Rows at the steps of the experiment: frequent classes first, under SGD above all.

    A spike is a rise of the second row, of that share.
    """
    counts = counts_of(experiment, workspace)
    schedule = Schedule.of(experiment, int(counts.sum()))
    steps = schedule.recorded(0, schedule.total + 1)
    slow = 0.5 if isinstance(experiment.optimizer, SGD) else 0.1
    speed = (np.maximum(counts, 1) / counts.max()) ** slow
    by_class = np.log(len(counts)) * np.exp(-3 * np.outer(steps / schedule.total, speed))
    by_class[1] = by_class[0] * (1 + spike) if spike else by_class[1]
    name = experiment.problem.loss.name
    losses = {f"{split}_{name}": by_class @ counts / counts.sum() for split in ("tr", "va")}
    shown = np.isin(steps, schedule.by_class(steps)) & experiment.per_class
    arrays = {f"{column}PerClass": by_class[shown].astype(np.float32) for column in losses}
    folder = RunFolder(workspace, experiment)
    folder.begin({"train": counts, "tr": counts, "va": counts})
    folder.append({"step": steps, "epoch": steps, **losses}, arrays, steps[shown])
    folder.finish("done", schedule.total)


def counts_of(experiment, workspace):
    """Class counts of the data, or of a heavy tail where they are files or a text."""
    dataset = experiment.problem.with_data_seed(experiment.seed).dataset
    if isinstance(dataset, CountsClasses):
        return dataset.class_counts(workspace)
    return np.maximum(10_000 // np.arange(1, dataset.num_classes + 1), 1)


def keep_start(workspace, experiment):
    """Parameters at the steps at which they are kept, all of them those of the start.

    What is not in a file is drawn from the seed; only the state of a model has to be there.
    """
    problem = experiment.problem.with_data_seed(experiment.seed)
    inputs = as_inputs(jnp.asarray(problem.dataset.load(workspace).train.inputs[:1]))
    _, state = functional(problem.model).init(jax.random.key(0), inputs)
    flat = {path: np.asarray(a) for path, a in traverse_util.flatten_dict(state, sep="/").items()}
    for step in experiment.keep_steps:
        RunFolder(workspace, experiment).keep_parameters(step, flat)
