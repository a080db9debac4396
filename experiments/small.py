"""The small form of every family of experiments: the same phenomenon in seconds on two cores.

A small experiment has its own group, the paper's name plus `_small`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from optexp_jax import Experiment
from optexp_jax.datasets import Digits, FashionMNIST, HeavyTailedOneHot, Shakespeare, Words
from optexp_jax.errors import OptexpError
from optexp_jax.grid import unique
from optexp_jax.optim import LearningRate, SignDescent

# The rarest class has π = 1/n, so GD needs steps in proportion to n: 2000 for 4000 examples,
# 150 for 300. Sign descent needs 1/η steps whatever n is: its rates go up with it.
_LINREG = HeavyTailedOneHot(start_examples=100, base=10)
_LINREG_STEPS = 150

# A bigram model of so many words; the rates of 2,000 words are right for it, too.
_BIGRAM_WORDS, _BIGRAM_STEPS = 1000, 300

# Images of which a linear model does not fit every one.
_FASHION_SUBSET = "tiny"


def small(experiments: Sequence[Experiment]) -> list[Experiment]:
    """The small form of experiments, duplicates dropped.

    Raises:
        OptexpError: a family without a small form.
    """
    return unique(_small(experiment) for experiment in experiments)


def _small(experiment: Experiment) -> Experiment:
    dataset = experiment.problem.dataset
    if isinstance(dataset, HeavyTailedOneHot):
        return _small_linreg(experiment)
    if isinstance(dataset, Digits):  # small as it is
        return _with(experiment, {})
    if isinstance(dataset, FashionMNIST):
        return _with(
            experiment, {"steps": 100}, dataset=dataclasses.replace(dataset, subset=_FASHION_SUBSET)
        )
    if isinstance(dataset, Shakespeare):
        return _small_bigram(experiment, dataset)
    raise OptexpError(f"The group '{experiment.group}' has no small form: use --scale paper.")


def _with(experiment: Experiment, fields: dict[str, Any], **of_problem: Any) -> Experiment:
    """An experiment, in a group of its own, with other fields of itself and of its problem."""
    problem = dataclasses.replace(experiment.problem, **of_problem)
    group = f"{experiment.group}_small"
    return dataclasses.replace(experiment, problem=problem, group=group, **fields)


def _small_bigram(experiment: Experiment, dataset: Shakespeare) -> Experiment:
    words = _BIGRAM_WORDS
    model = experiment.problem.model.clone(num_inputs=words, num_classes=words)
    dataset = dataclasses.replace(dataset, tokens=Words(words))
    return _with(experiment, {"steps": _BIGRAM_STEPS}, model=model, dataset=dataset)


def _small_linreg(experiment: Experiment) -> Experiment:
    problem = experiment.problem
    sizes = {"num_inputs": _LINREG.num_inputs, "num_classes": _LINREG.num_classes}
    optimizer = experiment.optimizer
    if isinstance(optimizer, SignDescent):
        rate = LearningRate(optimizer.learning_rate.exponent + 1)
        optimizer = dataclasses.replace(optimizer, learning_rate=rate)
    model = problem.model.clone(**sizes)
    fields = {"optimizer": optimizer, "steps": _LINREG_STEPS}
    return _with(experiment, fields, model=model, dataset=_LINREG)
