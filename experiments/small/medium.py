"""`--scale medium`: an evening on two cores, for figures whose claims the small form cannot carry.

A family declares its medium forms in a module `medium_forms` beside it: `FORMS`, from the name of a
group to a function of its first experiment. They are found there, as small ones are.
Every method of a form is searched: the learning rates that it names, with three seeds each, so that
the rule that chooses among the paper's runs chooses among these.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from experiments.small.form import Form, declared_forms, form_of
from experiments.small.rates import AROUND, SEEDS, is_known, pilot
from optexp_jax import Experiment, Problem
from optexp_jax.forms import Planned
from optexp_jax.grid import at_rate, method_name


@dataclasses.dataclass(frozen=True)
class MediumForm:
    """The medium form of a group.

    Args:
        problem: what is learned; None for the problems that the group declares.
        steps: length of a run.
        rates: exponents of the learning rates of each method; a method without any is left out.
        seconds: of a run on two cores, of each method where they differ.
        eval_every: distance between recorded rows, in steps.
    """

    problem: Problem | None
    steps: int
    rates: Mapping[str, tuple[str, ...]]
    seconds: float | Mapping[str, float]
    eval_every: int = 1


MakeMedium = Callable[[Experiment], MediumForm]

MOMENTUM = ("SGD + momentum", "Adam + momentum")


def longer(steps: int, methods: Sequence[str] = MOMENTUM, eval_every: int = 1) -> MakeMedium:
    """A medium form that is the small one for more steps.

    Args:
        steps: length of a run.
        methods: that are searched, half a decade around the learning rates of the pilot.
        eval_every: distance between recorded rows, in steps.
    """
    return lambda experiment: _searched(form_of(experiment), steps, methods, eval_every)


def all_methods(times: int) -> MakeMedium:
    """A medium form that is the small one, so many times as long, for all methods of the pilot."""

    def make(experiment: Experiment) -> MediumForm:
        form = form_of(experiment)
        return _searched(form, times * form.steps, list(pilot()[form.name or ""]), form.eval_every)

    return make


def _searched(form: Form, steps: int, methods: Sequence[str], eval_every: int) -> MediumForm:
    known = {method: pilot()[form.name or ""][method] for method in methods}
    rates = {method: around(entry["exponent"]) for method, entry in known.items()}
    seconds = {method: entry["ms_per_step"] * steps / 1000 for method, entry in known.items()}
    return MediumForm(form.problem, steps, rates, seconds, eval_every)


def around(exponent: str) -> tuple[str, ...]:
    """Three exponents, half a decade apart.

    >>> around("-5/2")
    ('-3', '-5/2', '-2')
    """
    return tuple(str(Fraction(exponent) + step) for step in AROUND)


def planned_medium(experiments: Sequence[Experiment]) -> list[Planned]:
    """The medium form of experiments; groups without one are left out.

    A method that is not ours runs at the learning rates and seeds that it lists.
    """
    by_method: dict[tuple[str, str], list[Experiment]] = {}
    for experiment in experiments:
        if experiment.group in families():
            method = method_name(experiment.optimizer)
            by_method.setdefault((experiment.group, method), []).append(experiment)
    return [run for members in by_method.values() for run in _planned(members)]


@functools.cache
def families() -> dict[str, MakeMedium]:
    """What makes a medium form, by the name of the group."""
    return declared_forms("medium_forms")


def _planned(members: Sequence[Experiment]) -> list[Planned]:
    first = members[0]
    form, method = families()[first.group](first), method_name(first.optimizer)
    if method not in form.rates and not is_known(first.optimizer):
        return [_resized(e, form) for e in members]
    problems = dict.fromkeys(e.problem for e in members) if form.problem is None else [form.problem]
    searched = [
        dataclasses.replace(
            first,
            problem=problem,
            optimizer=at_rate(first.optimizer, Fraction(rate)),
            seed=seed,
        )
        for problem in problems
        for rate in form.rates.get(method, ())
        for seed in SEEDS
    ]
    return [_resized(experiment, form) for experiment in searched]


def _resized(experiment: Experiment, form: MediumForm) -> Planned:
    seconds = form.seconds
    if not isinstance(seconds, float | int):
        seconds = seconds.get(method_name(experiment.optimizer), max(seconds.values()))
    resized = dataclasses.replace(
        experiment,
        problem=form.problem or experiment.problem,
        group=f"{experiment.group}_medium",
        epochs=None,
        steps=form.steps,
        eval_every=form.eval_every,
    )
    return Planned(resized, seconds)
