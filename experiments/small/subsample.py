"""Which runs are left of a list at small scale, at the learning rates of the pilot."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

from experiments.small.form import Form, form_of
from experiments.small.medium import planned_medium
from experiments.small.rates import AROUND, SEEDS, best_exponent, is_piloted, seconds_of
from optexp_jax import Experiment
from optexp_jax.errors import OptexpError
from optexp_jax.forms import Planned, SmallForm
from optexp_jax.grid import at_rate, method_name
from optexp_jax.optim import SGD, Adam, Optimizer, SignDescent, has_rate
from optexp_jax.results.selection import method_of


def planned(experiments: Sequence[Experiment]) -> list[Planned]:
    """The small form of experiments: at most three runs of each optimizer of a group.

    Where the paper searches a learning rate, those at half a decade around the best, with one seed;
    where it takes one, the best, with three seeds of GD and Adam, which claims are about. A method
    that the pilot does not know, such as your own, runs at the rates and seeds that it lists.

    Raises:
        OptexpError: a family without a small form, a method of a group that is more than one, or a
            file of learning rates that is not whole.
    """
    by_method: dict[tuple[str, str], list[Experiment]] = {}
    for experiment in experiments:
        method = method_name(experiment.optimizer)
        by_method.setdefault((experiment.group, method), []).append(experiment)
    runs = [run for members in by_method.values() for run in subsample_grid(members)]
    return list({r.experiment.place: r for r in runs}.values())


def subsample_grid(members: Sequence[Experiment]) -> list[Planned]:
    """The small form of the experiments of one method in a group.

    Raises:
        OptexpError: they differ in more than learning rate and seed, so that none stands for all.
    """
    first, form = members[0], form_of(members[0])
    if form.name is None:
        return [_at_paper_rate(experiment) for experiment in members]
    if not is_piloted(form, first.optimizer):
        return [_shrunk(e, form_of(e), e.optimizer, e.seed) for e in members]
    _check_alike(members)
    if not has_rate(first.optimizer):
        return [_shrunk(first, form, first.optimizer, 0)]
    best = Fraction(best_exponent(form, first.optimizer))
    searched = len({e.optimizer.learning_rate for e in members}) > 1
    steps = AROUND if searched else AROUND[1:2]
    seeds = SEEDS if not searched and isinstance(first.optimizer, SGD | Adam) else SEEDS[:1]
    return [
        _shrunk(first, form, at_rate(first.optimizer, best + step), seed)
        for step in steps
        for seed in seeds
    ]


def _check_alike(members: Sequence[Experiment]) -> None:
    first = members[0]
    for field in ("problem", "epochs", "steps", "eval_every", "per_class", "keep_steps"):
        if any(getattr(e, field) != getattr(first, field) for e in members):
            raise _unlike(first, field)
    if any(method_of(e.optimizer) != method_of(first.optimizer) for e in members):
        raise _unlike(first, "optimizer")


def _unlike(experiment: Experiment, field: str) -> OptexpError:
    return OptexpError(
        f"The group '{experiment.group}' has no small form: its runs of "
        f"{method_name(experiment.optimizer)} differ in '{field}', so one cannot stand for all. "
        "Give each its own group, or use --scale paper.",
        code="small-runs-differ",
        group=experiment.group,
        method=method_name(experiment.optimizer),
        field=field,
    )


def _at_paper_rate(experiment: Experiment) -> Planned:
    """A run at its own learning rate; that of sign descent is scaled, where the form says so."""
    optimizer, form = experiment.optimizer, form_of(experiment)
    if form.sign_decades and isinstance(optimizer, SignDescent):
        optimizer = at_rate(optimizer, optimizer.learning_rate.exponent + form.sign_decades)
    return _shrunk(experiment, form, optimizer, experiment.seed)


def _shrunk(experiment: Experiment, form: Form, optimizer: Optimizer, seed: int) -> Planned:
    shrunk = dataclasses.replace(
        experiment,
        problem=form.problem,
        optimizer=optimizer,
        group=f"{experiment.group}_small",
        seed=seed,
        epochs=None,
        steps=form.steps,
        eval_every=form.eval_every,
    )
    return Planned(shrunk, seconds_of(form, optimizer))


small = SmallForm(planned, planned_medium)
