"""The small forms of the CNN on digits, plain and barcoded."""

from __future__ import annotations

import dataclasses
from typing import Any

from experiments.small.form import Form, model_of, resized, steps_by_length
from optexp_jax import Experiment
from optexp_jax.datasets import MNIST, BarcodedMNIST, Digits
from optexp_jax.models import CNN

_CHANNELS = (8, 24)
_STEPS = {300: 100, 500: 100, 600: 150, 10_000: 500}


def _digits(experiment: Experiment, dataset: MNIST) -> Form:
    del dataset
    model = model_of(experiment, CNN).clone(channels=_CHANNELS)
    problem = resized(experiment.problem, Digits(), model)
    return Form("digits", problem, steps_by_length(experiment, _STEPS), eval_every=5)


def _barcoded(experiment: Experiment, dataset: BarcodedMNIST) -> Form:
    """10 classes of 125 digits, 320 of 2."""
    dataset = dataclasses.replace(dataset, source=Digits(), bits=5, per_class=2)
    sizes: dict[str, Any] = {"num_classes": dataset.num_classes, "channels": _CHANNELS}
    problem = resized(experiment.problem, dataset, model_of(experiment, CNN).clone(**sizes))
    name = "barcoded digits" if dataset.joined else "barcoded digits only"
    return Form(name, problem, steps_by_length(experiment, _STEPS), eval_every=5)


FORMS = {MNIST: _digits, BarcodedMNIST: _barcoded}
