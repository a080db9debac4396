"""Which runs are left of a list at small scale, at the step sizes of the pilot."""

from __future__ import annotations

import dataclasses
import functools
import json
import shlex
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from experiments.small.forms import Form, form_of
from optexp_jax import Experiment, LearningRate
from optexp_jax.errors import OptexpError, cause_of
from optexp_jax.optim import SGD, Adam, LineSearchGD, Optimizer, SignDescent, momentum_of
from optexp_jax.runner.planning import Planned

PILOT = Path(__file__).with_name("pilot.json")
_AROUND = (Fraction(-1, 2), Fraction(0), Fraction(1, 2))
_SEEDS = (0, 1, 2)
_MS_PER_STEP = 10.0  # of what the pilot does not run


def small(experiments: Sequence[Experiment]) -> list[Experiment]:
    """The small form of experiments, as `planned` has it."""
    return [run.experiment for run in planned(experiments)]


def planned(experiments: Sequence[Experiment]) -> list[Planned]:
    """The small form of experiments: at most three runs of each optimizer of a group.

    Where the paper searches a step size, those at half a decade around the best, with one seed;
    where it takes one, the best, with three seeds of GD and Adam, which claims are about.

    Raises:
        OptexpError: a family without a small form, or a file of step sizes that is not whole.
    """
    kinds: dict[tuple[str, str], list[Experiment]] = {}
    for experiment in experiments:
        kinds.setdefault((experiment.group, kind_of(experiment.optimizer)), []).append(experiment)
    runs = [run for members in kinds.values() for run in _thinned(members)]
    return list({r.experiment.place: r for r in runs}.values())


def kind_of(optimizer: Optimizer) -> str:
    """An optimizer without its step size, such as `SGD + momentum`."""
    return type(optimizer).__name__ + (" + momentum" if momentum_of(optimizer) else "")


def _thinned(members: list[Experiment]) -> list[Planned]:
    """The small form of the experiments of one optimizer in a group."""
    first, form = members[0], form_of(members[0])
    if form.name is None:
        return [_shrunk(e, form, _adapted(e.optimizer, form), e.seed) for e in members]
    if isinstance(first.optimizer, LineSearchGD):
        return [_shrunk(first, form, first.optimizer, 0)]
    known = form.rates.get(kind_of(first.optimizer))
    best = Fraction(known or _exponent(form, first.optimizer))
    searched = len({e.optimizer.learning_rate for e in members}) > 1
    steps = _AROUND if searched else _AROUND[1:2]
    seeds = _SEEDS if not searched and isinstance(first.optimizer, SGD | Adam) else _SEEDS[:1]
    return [
        _shrunk(first, form, _at(first.optimizer, best + step), seed)
        for step in steps
        for seed in seeds
    ]


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
    milliseconds = _measured(form, optimizer).get("ms_per_step", _MS_PER_STEP)
    return Planned(shrunk, milliseconds * form.steps / 1000)


def _exponent(form: Form, optimizer: Optimizer) -> str:
    found = _measured(form, optimizer).get("exponent")
    if not isinstance(found, str):
        raise OptexpError(
            f"{PILOT} has no step size of {kind_of(optimizer)} for '{form.name}': run "
            f"`python -m experiments.small.pilot --family {shlex.quote(form.name or '')}`."
        )
    return found


def _measured(form: Form, optimizer: Optimizer) -> dict[str, Any]:
    return pilot().get(form.name or "", {}).get(kind_of(optimizer), {})


def _at(optimizer: Optimizer, exponent: Fraction) -> Optimizer:
    return dataclasses.replace(optimizer, learning_rate=LearningRate(exponent))


def _adapted(optimizer: Optimizer, form: Form) -> Optimizer:
    if not isinstance(optimizer, SignDescent):
        return optimizer
    return _at(optimizer, optimizer.learning_rate.exponent + form.sign_decades)


@functools.cache
def pilot() -> dict[str, dict[str, dict[str, Any]]]:
    """By family and optimizer: exponent of the best step size, and milliseconds of a step.

    Raises:
        OptexpError: the file of the pilot cannot be read, or is damaged.
    """
    try:
        table = json.loads(PILOT.read_text(encoding="utf-8"))
        return {
            family: {kind: dict(entry) for kind, entry in kinds.items()}
            for family, kinds in table.items()
        }
    except OSError as error:
        raise _broken(f"cannot be read ({cause_of(error)})") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise _broken(f"is damaged ({error})") from error


def _broken(why: str) -> OptexpError:
    return OptexpError(
        f"The file {PILOT}, step sizes of small runs, {why}: bring back the one that comes with "
        "the code, as by `git checkout`; `python -m experiments.small.pilot`, which makes another, "
        "takes two hours."
    )
