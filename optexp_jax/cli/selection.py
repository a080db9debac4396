"""Which experiments of a list a command line means."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from optexp_jax.cli.where import filtered
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.forms import SmallForm
from optexp_jax.optim import LearningRate, kind_of

Small = Callable[[Sequence[Experiment]], list[Experiment]]


def at_scale(
    experiments: Sequence[Experiment], small: Small | None, scale: str
) -> Sequence[Experiment]:
    """The experiments at a scale."""
    if scale == "paper":
        return experiments
    if scale == "small" and small is not None:
        return small(experiments)
    form = small.at(scale, experiments) if isinstance(small, SmallForm) else []
    if not form:
        raise no_form(scale)
    return form


def no_form(scale: str) -> OptexpError:
    """The error for experiments without a form of a scale."""
    return OptexpError(
        f"These experiments have no {scale} form: leave out --scale {scale}.",
        code="no-form-here",
        scale=scale,
    )


def chosen_by(
    experiments: Sequence[Experiment], small: Small | None, args: argparse.Namespace
) -> list[Experiment]:
    """The experiments of a list that a command line asks for.

    Raises:
        OptexpError: none is left.
    """
    chosen = list(at_scale(experiments, small, args.scale))
    if args.optimizer is not None:
        names = dict.fromkeys(kind_of(e.optimizer) for e in chosen)
        if args.optimizer not in names:
            known = ", ".join(names)
            raise OptexpError(
                f"There is no optimizer '{args.optimizer}' here: choose from {known}.",
                code="unknown-optimizer",
                optimizer=args.optimizer,
                known=tuple(names),
            )
        chosen = [e for e in chosen if kind_of(e.optimizer) == args.optimizer]
    if args.learning_rate is not None:
        rate = _rate(args.learning_rate)
        rates = dict.fromkeys(e.optimizer.learning_rate for e in chosen)
        if rate not in rates:
            known = ", ".join(str(r) for r in sorted(rates))
            raise OptexpError(
                f"No run has the learning rate {rate}: choose from {known}.",
                code="no-such-rate",
                rate=rate,
                known=tuple(sorted(rates)),
            )
        chosen = [e for e in chosen if e.optimizer.learning_rate == rate]
    chosen = filtered(chosen, args.where)
    if not chosen:
        raise OptexpError(
            "The list of experiments is empty: add an experiment to the module.",
            code="no-experiments",
        )
    return chosen


def _rate(text: str) -> LearningRate:
    try:
        return LearningRate.parse(text)
    except ValueError as error:
        raise OptexpError(str(error), code="not-a-learning-rate", value=text) from error


def numbered(experiments: Sequence[Experiment], number: int) -> Experiment:
    """The experiment of a number, from 0.

    Raises:
        OptexpError: there is none.
    """
    if not 0 <= number < len(experiments):
        raise OptexpError(
            f"There is no experiment {number}: choose a number from 0 to {len(experiments) - 1}.",
            code="no-such-number",
            number=number,
            size=len(experiments),
        )
    return experiments[number]
