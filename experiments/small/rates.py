"""The learning rates of small runs, and what a step takes: the committed file of the pilot."""

from __future__ import annotations

import functools
import json
import shlex
from fractions import Fraction
from pathlib import Path
from typing import Any

from experiments.small.form import Form
from optexp_jax.errors import OptexpError, cause_of
from optexp_jax.grid import method_name
from optexp_jax.optim import Optimizer

PILOT = Path(__file__).with_name("pilot.json")
# What a search runs: half a decade around the best exponent, and these seeds.
AROUND = (Fraction(-1, 2), Fraction(0), Fraction(1, 2))
SEEDS = (0, 1, 2)

_MS_PER_STEP = 10.0  # of what the pilot does not run


def is_piloted(form: Form, optimizer: Optimizer) -> bool:
    """Whether a form or the pilot has a learning rate of a method."""
    return method_name(optimizer) in form.rates or is_known(optimizer)


def is_known(optimizer: Optimizer) -> bool:
    """Whether the pilot knows a method in any family; it does not know your own methods."""
    return any(method_name(optimizer) in rates for rates in pilot().values())


def best_exponent(form: Form, optimizer: Optimizer) -> str:
    """The exponent of the best learning rate of a method in a family.

    Raises:
        OptexpError: the pilot has not searched it.
    """
    known = form.rates.get(method_name(optimizer))
    found = known or _measured(form, optimizer).get("exponent")
    if not isinstance(found, str):
        raise OptexpError(
            f"{PILOT} has no learning rate of {method_name(optimizer)} for '{form.name}': run "
            f"`python -m tools.pilot --family {shlex.quote(form.name or '')}`.",
            code="no-piloted-rate",
            method=method_name(optimizer),
            form=form.name,
        )
    return found


def seconds_of(form: Form, optimizer: Optimizer) -> float:
    """About what a run takes on two cores."""
    unknown = form.ms_per_step or _MS_PER_STEP
    milliseconds = _measured(form, optimizer).get("ms_per_step", unknown)
    return milliseconds * form.steps / 1000


def _measured(form: Form, optimizer: Optimizer) -> dict[str, Any]:
    return pilot().get(form.name or "", {}).get(method_name(optimizer), {})


@functools.cache
def pilot() -> dict[str, dict[str, dict[str, Any]]]:
    """By family and optimizer: exponent of the best learning rate, and milliseconds of a step.

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
        f"The file {PILOT}, learning rates of small runs, {why}: bring back the one that comes "
        "with the code, as by `git checkout`; `python -m tools.pilot`, which makes another, "
        "takes two hours.",
        code="pilot-unreadable",
        why=why,
    )
