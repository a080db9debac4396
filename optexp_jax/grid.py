"""Grids of experiments: plain lists, built from lists."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from optexp_jax.experiment import Experiment
from optexp_jax.optim import LearningRate, Optimizer
from optexp_jax.problem import Problem


def over_rates(
    make: Callable[..., Optimizer], rates: Iterable[LearningRate], **fields: Any
) -> list[Optimizer]:
    """One optimizer for each learning rate.

    Args:
        make: an optimizer spec, such as `Adam`.
        rates: learning rates.
        **fields: the other fields of the spec.

    >>> from optexp_jax.optim import SGD, lr_grid
    >>> [str(o.learning_rate) for o in over_rates(SGD, lr_grid(-1, 0), momentum=0.9)]
    ['10^-1', '10^0']
    """
    return [make(rate, **fields) for rate in rates]


def experiments_over(
    optimizers: Iterable[Optimizer],
    problem: Problem,
    seeds: Sequence[int] = (0,),
    **fields: Any,
) -> list[Experiment]:
    """One experiment for each optimizer and seed, duplicates dropped.

    Args:
        optimizers: optimizer specs.
        problem: what all of them learn.
        seeds: seeds for each optimizer.
        **fields: the other fields of `Experiment`.

    Returns:
        experiments in the order of the optimizers, seeds innermost.
    """
    return unique(
        Experiment(problem=problem, optimizer=optimizer, seed=seed, **fields)
        for optimizer in optimizers
        for seed in seeds
    )


def replace_all(experiments: Iterable[Experiment], **fields: Any) -> list[Experiment]:
    """The same experiments with some fields replaced."""
    return [dataclasses.replace(experiment, **fields) for experiment in experiments]


def unique(experiments: Iterable[Experiment]) -> list[Experiment]:
    """The experiments without repetitions within a group, in order."""
    return list({(e.group, e.id): e for e in experiments}.values())
