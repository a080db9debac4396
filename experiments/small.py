"""The small form of every family of experiments: the same phenomenon in seconds on two cores.

A small experiment has its own group (the paper's name plus `_small`) and its own id.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from optexp_jax import Experiment
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.errors import OptexpError
from optexp_jax.grid import unique
from optexp_jax.optim import LearningRate, SignDescent

# The rarest class has π = 1/n, so GD needs steps in proportion to n: 2000 for 4000 examples,
# 150 for 300. Sign descent needs 1/η steps whatever n is: its rates go up with it.
_LINREG = HeavyTailedOneHot(start_examples=100, base=10)
_LINREG_STEPS = 150


def small(experiments: Sequence[Experiment]) -> list[Experiment]:
    """The small form of experiments, duplicates dropped.

    Raises:
        OptexpError: a family without a small form.
    """
    return unique(_small(experiment) for experiment in experiments)


def _small(experiment: Experiment) -> Experiment:
    if isinstance(experiment.problem.dataset, HeavyTailedOneHot):
        return _small_linreg(experiment)
    raise OptexpError(f"The group '{experiment.group}' has no small form: use --scale paper.")


def _small_linreg(experiment: Experiment) -> Experiment:
    problem = experiment.problem
    sizes = {"num_inputs": _LINREG.num_inputs, "num_classes": _LINREG.num_classes}
    optimizer = experiment.optimizer
    if isinstance(optimizer, SignDescent):
        rate = LearningRate(optimizer.learning_rate.exponent + 1)
        optimizer = dataclasses.replace(optimizer, learning_rate=rate)
    return dataclasses.replace(
        experiment,
        problem=dataclasses.replace(problem, model=problem.model.clone(**sizes), dataset=_LINREG),
        optimizer=optimizer,
        group=f"{experiment.group}_small",
        steps=_LINREG_STEPS,
    )
