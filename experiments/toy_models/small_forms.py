"""The small forms of softmax regression on random inputs, and of the weighted quadratic.

m = 8 to look at classes, 7 to compare learning rates, 6 where runs are ten times as
long; with normal inputs few steps suffice, at the paper's size.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from experiments.small.form import Form, model_of, resized
from optexp_jax import Experiment
from optexp_jax.datasets import Gaussian, PowerLawOneHot, RandomHeavyTailedLabels
from optexp_jax.models import Linear

_LONG = 10_000
# Figure 19 is about the first 25 steps; the problem is the paper's, and so are its learning rates.
_RATES_BY_MEAN = {1.0: {"SGD": "-2", "Adam": "-3"}, 0.0: {"SGD": "2", "Adam": "-3/2"}}
# Figure 20 is of one slow run: as far in all as the paper's 10,000 steps of 10^-2.
_SLOW = {"SGD": "-3/2"}


def _quadratic(experiment: Experiment, dataset: PowerLawOneHot) -> Form:
    del dataset
    return Form(None, experiment.problem, experiment.steps or experiment.epochs or 1)


def _random_labels(experiment: Experiment, dataset: RandomHeavyTailedLabels) -> Form:
    if dataset.size == 7 and isinstance(dataset.inputs, Gaussian):
        return _normal_inputs(experiment, dataset, dataset.inputs)
    longer = dataset.size == 7
    dataset = dataclasses.replace(dataset, size=6 if longer else 7 + experiment.per_class)
    sizes: dict[str, Any] = {"num_inputs": dataset.num_inputs, "num_classes": dataset.num_classes}
    problem = resized(experiment.problem, dataset, model_of(experiment, Linear).clone(**sizes))
    name = f"linear, m = {dataset.size}"
    if (experiment.epochs or 0) < _LONG:
        return Form(name, problem, steps=200)
    steps = 3000 if experiment.per_class else 1000
    rates = _SLOW if experiment.per_class else {}
    return Form(f"{name}, long", problem, steps, eval_every=10, rates=rates)


def _normal_inputs(
    experiment: Experiment, dataset: RandomHeavyTailedLabels, inputs: Gaussian
) -> Form:
    name = f"linear, N({inputs.mean:g}, {inputs.scale:g}²)"
    name += ", bias" * dataset.bias_column + (f", d = {dataset.dim}" if dataset.dim else "")
    papers = inputs.scale == 1 and not dataset.bias_column and not dataset.dim
    rates = _RATES_BY_MEAN.get(inputs.mean, {}) if papers else {}
    return Form(name, experiment.problem, steps=200, rates=rates)


FORMS = {PowerLawOneHot: _quadratic, RandomHeavyTailedLabels: _random_labels}
