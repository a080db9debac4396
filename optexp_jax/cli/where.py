"""`--where FIELD=VALUE`: the experiments of a list whose fields have these values."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.optim import LearningRate
from optexp_jax.results.fields import MISSING, look_up
from optexp_jax.results.workspace import RecordedRuns

Run = TypeVar("Run")

_SHOWN = 12  # values in a sentence


def filtered(
    runs: Sequence[Run],
    conditions: Sequence[str],
    experiment_of: Callable[[Any], Experiment] = lambda run: run,
) -> list[Run]:
    """The runs that meet all conditions.

    Args:
        runs: a list: experiments, or what holds one.
        conditions: such as `beta2=0.99`, `seed=1`, `optimizer=Adam` or `batching.size=64`: a field
            of the optimizer, of the experiment, or of its problem, and those of their fields.
        experiment_of: the experiment of an entry of the list.

    Raises:
        OptexpError: a condition is none, no experiment has such a field, or none has this value.
    """
    chosen = list(runs)
    for condition in conditions:
        chosen = _filtered(chosen, condition, experiment_of)
    return chosen


def among(recorded: RecordedRuns, conditions: Sequence[str]) -> RecordedRuns:
    """The recorded runs that meet all conditions; unreadable runs are kept apart."""
    runs = filtered(recorded.runs, conditions, lambda folder: folder.experiment)
    return recorded._replace(runs=runs)


def _filtered(
    runs: list[Run], condition: str, experiment_of: Callable[[Any], Experiment]
) -> list[Run]:
    path, equals, wanted = (part.strip() for part in condition.partition("="))
    if not (path and equals and wanted):
        raise OptexpError(
            f"'{condition}' is not a condition: write --where FIELD=VALUE, such as --where "
            "beta2=0.99.",
            code="no-condition",
            condition=condition,
        )
    found = [(run, look_up(experiment_of(run), path)) for run in runs]
    known = {shown(value): None for _, value in found if value is not MISSING}
    if not known:
        raise OptexpError(
            f"No run has a field '{path}': choose a field of the optimizer, such as beta2, or of "
            "the experiment, such as seed or batching.size.",
            code="no-such-field",
            field=path,
        )
    chosen = [run for run, value in found if value is not MISSING and is_equal(value, wanted)]
    if not chosen:
        values = ", ".join(list(known)[:_SHOWN]) + ", ..." * (len(known) > _SHOWN)
        raise OptexpError(
            f"No run has {path}={wanted}: choose from {values}.",
            code="no-such-value",
            field=path,
            value=wanted,
            known=tuple(known),
        )
    return chosen


def is_equal(value: Any, wanted: str) -> bool:
    """Whether a value is the one that a person wrote.

    >>> is_equal(LearningRate(-2), "0.01"), is_equal(0.999, "0.9990"), is_equal(True, "true")
    (True, True, True)
    """
    if wanted.lower() == shown(value).lower():
        return True
    with contextlib.suppress(ValueError):
        if isinstance(value, LearningRate):
            return value == LearningRate.parse(wanted)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return math.isclose(value, float(wanted), rel_tol=1e-12)
    return False


def shown(value: Any) -> str:
    """A value as a person writes it: a class by its name.

    >>> shown(64), shown(None), shown(LearningRate(-2))
    ('64', 'None', '10^-2')
    """
    plain = isinstance(value, int | float | str | LearningRate | None)
    return str(value) if plain else type(value).__name__
