"""The small forms of softmax regression on data that need no network."""

from __future__ import annotations

import dataclasses

from experiments.small.form import Form, model_of, resized
from optexp_jax import Experiment
from optexp_jax.datasets import Digits, FashionMNIST, Shakespeare, Words
from optexp_jax.models import Linear

_WORDS = 1000  # the learning rates of 2,000 words are right for them, too


def _digits(experiment: Experiment, dataset: Digits) -> Form:
    del dataset
    return Form(None, experiment.problem, experiment.steps or experiment.epochs or 1)


def _fashion(experiment: Experiment, dataset: FashionMNIST) -> Form:
    dataset = dataclasses.replace(dataset, subset="tiny")
    return Form(None, dataclasses.replace(experiment.problem, dataset=dataset), steps=100)


def _bigram(experiment: Experiment, dataset: Shakespeare) -> Form:
    model = model_of(experiment, Linear).clone(num_inputs=_WORDS, num_classes=_WORDS)
    dataset = dataclasses.replace(dataset, tokens=Words(_WORDS))
    problem = resized(experiment.problem, dataset, model)
    return Form(None, problem, steps=200, eval_every=experiment.eval_every)


FORMS = {Digits: _digits, FashionMNIST: _fashion, Shakespeare: _bigram}
