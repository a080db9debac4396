"""Grids of experiments: plain lists, built from lists."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any, TypeVar

from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.identity import encode_fields
from optexp_jax.optim import (
    LearningRate,
    Optimizer,
    kind_of,
    lr_grid,
    momentum_of,
    with_rate,
)
from optexp_jax.problem import Problem

Made = TypeVar("Made")
Run = tuple[Optimizer, int]  # an optimizer and a seed


def over_rates(
    make: Callable[..., Optimizer], rates: Iterable[LearningRate], **fields: Any
) -> list[Optimizer]:
    """Make one optimizer for each learning rate.

    Args:
        make: an optimizer class, such as `Adam`.
        rates: learning rates.
        **fields: the other fields of the optimizer.

    >>> from optexp_jax.optim import SGD, lr_grid
    >>> [str(o.learning_rate) for o in over_rates(SGD, lr_grid(-1, 0), momentum=0.9)]
    ['10^-1', '10^0']
    """
    return [make(rate, **fields) for rate in rates]


def grid(make: Callable[..., Made], **fields: Any) -> list[Made]:
    """Make one value for each combination of fields.

    Args:
        make: a class or function: an optimizer, `MiniBatch`, a model, `Problem` or `Experiment`.
        **fields: its fields; a list, a tuple or a range gives one value after the other, anything
            else is the same for all.

    Returns:
        the values; the last field changes fastest.

    >>> from optexp_jax.optim import AdamW, lr_grid
    >>> for o in grid(AdamW, learning_rate=lr_grid(-3, -2), weight_decay=(0.0, 0.1)):
    ...     print(o.learning_rate, o.weight_decay)
    10^-3 0.0
    10^-3 0.1
    10^-2 0.0
    10^-2 0.1
    """
    several = [list(v) if isinstance(v, list | tuple | range) else [v] for v in fields.values()]
    return [make(**dict(zip(fields, chosen, strict=True))) for chosen in product(*several)]


def coarse_to_fine(
    make: Callable[..., Optimizer],
    coarse: tuple[int, int] | None,
    fine: tuple[int, int] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    coarse_seeds: Sequence[int] = (0,),
    **fields: Any,
) -> list[Run]:
    """Make the paper's learning rate search: powers of ten, then half-powers around the best.

    Args:
        make: an optimizer class, such as `Adam`.
        coarse: first and last exponent of the powers of ten; None to leave them out.
        fine: first and last exponent of the half-powers; None to leave them out.
        seeds: seeds of the half-powers.
        coarse_seeds: seeds of the powers of ten that are not among the half-powers.
        **fields: the other fields of the optimizer.

    Returns:
        pairs of an optimizer and a seed, without duplicates, the powers of ten first.

    >>> from optexp_jax.optim import SGD
    >>> [f"{o.learning_rate} {seed}" for o, seed in coarse_to_fine(SGD, (-3, 0), (-1, 0), (0, 1))]
    ['10^-3 0', '10^-2 0', '10^-1 0', '10^0 0', '10^-1 1', '10^-1/2 0', '10^-1/2 1', '10^0 1']

    Source: the paper, section A.4.
    """
    rates = lr_grid(*coarse) if coarse else []
    finer = lr_grid(*fine, density=1) if fine else []
    runs = [(make(rate, **fields), seed) for rate in rates for seed in coarse_seeds]
    runs += [(make(rate, **fields), seed) for rate in finer for seed in seeds]
    return list(dict.fromkeys(runs))


def experiments_of(runs: Iterable[Run], problem: Problem, **fields: Any) -> list[Experiment]:
    """Make one experiment for each optimizer and seed of a search, without duplicates.

    Args:
        runs: pairs of an optimizer and a seed, such as those of `coarse_to_fine`.
        problem: the problem of all experiments.
        **fields: the other fields of `Experiment`.

    Returns:
        experiments in that order.
    """
    return unique(
        Experiment(problem=problem, optimizer=optimizer, seed=seed, **fields)
        for optimizer, seed in runs
    )


def experiments_over(
    optimizers: Iterable[Optimizer],
    problem: Problem,
    seeds: Sequence[int] = (0,),
    **fields: Any,
) -> list[Experiment]:
    """Make one experiment for each optimizer and seed, without duplicates.

    Args:
        optimizers: the optimizers.
        problem: the problem of all experiments.
        seeds: seeds for each optimizer.
        **fields: the other fields of `Experiment`.

    Returns:
        experiments in the order of the optimizers, seeds innermost.
    """
    runs = [(optimizer, seed) for optimizer in optimizers for seed in seeds]
    return experiments_of(runs, problem, **fields)


def replace_all(experiments: Iterable[Experiment], **fields: Any) -> list[Experiment]:
    """Replace some fields of experiments."""
    return [dataclasses.replace(experiment, **fields) for experiment in experiments]


def replace_in_problem(experiments: Iterable[Experiment], **fields: Any) -> list[Experiment]:
    """Replace some fields of the problems of experiments, such as the loss."""
    return [
        dataclasses.replace(e, problem=dataclasses.replace(e.problem, **fields))
        for e in experiments
    ]


def at_best(
    base: Sequence[Experiment], exponents: Mapping[str, int | str], **fields: Any
) -> list[Experiment]:
    """Repeat a search at one learning rate for each method.

    Args:
        base: the search; its first run of a method gives every field that is not replaced.
        exponents: method, as named by `method_name` -> exponent of its learning rate.
        **fields: fields of `Experiment` to replace; the seed is 0 unless given.

    Returns:
        one experiment for each method, in that order.

    Raises:
        OptexpError: the search does not have a method.
    """
    searched: dict[str, Experiment] = {}
    for experiment in base:
        searched.setdefault(method_name(experiment.optimizer), experiment)
    unknown = [name for name in exponents if name not in searched]
    if unknown:
        raise OptexpError(
            f"There is no learning rate search for '{unknown[0]}': choose from "
            f"{', '.join(searched)}.",
            code="not-searched",
            name=unknown[0],
            known=tuple(searched),
        )
    fields = {"seed": 0} | fields
    return [
        dataclasses.replace(
            searched[name], optimizer=at_rate(searched[name].optimizer, exponent), **fields
        )
        for name, exponent in exponents.items()
    ]


def at_rate(optimizer: Optimizer, exponent: Fraction | int | str) -> Optimizer:
    """The same optimizer at the learning rate of an exponent, if it has one."""
    return with_rate(optimizer, LearningRate(exponent))


def method_name(optimizer: Optimizer) -> str:
    """Name the method of an optimizer, without its learning rate.

    >>> from optexp_jax.optim import SGD, Adam
    >>> method_name(SGD("10^-1")), method_name(Adam("10^-2"))
    ('SGD', 'Adam + momentum')
    """
    return kind_of(optimizer) + (" + momentum" if momentum_of(optimizer) else "")


def differing_fields(experiments: Sequence[Experiment]) -> list[str]:
    """The fields that tell experiments apart, beside optimizer, momentum, learning rate and seed.

    Args:
        experiments: some of one group.

    Returns:
        paths such as `optimizer.weight_decay` or `problem.batching.size`, in order of the fields.

    >>> from optexp_jax.datasets import HeavyTailedOneHot
    >>> from optexp_jax.losses import SquaredLoss
    >>> from optexp_jax.models import Linear
    >>> from optexp_jax.optim import AdamW
    >>> problem = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), SquaredLoss())
    >>> decays = [AdamW("10^-2", weight_decay=decay) for decay in (0.0, 0.1)]
    >>> differing_fields(experiments_over(decays, problem, group="demo", steps=3))
    ['optimizer.weight_decay']
    """
    values: dict[str, dict[str, set[str]]] = {}
    for experiment in experiments:
        for path, value in flat_fields(experiment).items():
            kinds = values.setdefault(path, {})
            kinds.setdefault(kind_of(experiment.optimizer), set()).add(repr(value))
    seen = {"seed", *(f"optimizer.{name}" for name in ("learning_rate", "momentum", "beta1"))}
    differ = [path for path, kinds in values.items() if any(len(v) > 1 for v in kinds.values())]
    return [path for path in differ if path not in seen]


def flat_fields(experiment: Experiment) -> dict[str, Any]:
    """Every field of an experiment and of its values: dotted path -> number, text or None."""
    found: dict[str, Any] = {}

    def flatten(prefix: str, value: Any) -> None:
        if isinstance(value, dict) and set(value) != {"type", "value"}:
            for name, inner in value.items():
                flatten(f"{prefix}.{name}" if prefix else name, inner)
        else:
            found[prefix] = value["value"] if isinstance(value, dict) else value

    flatten("", encode_fields(experiment))
    return found


def unique(experiments: Iterable[Experiment]) -> list[Experiment]:
    """Drop repeated experiments of a group, and keep the order."""
    return list({e.run_key: e for e in experiments}.values())
