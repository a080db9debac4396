"""`--where FIELD=VALUE`: the experiments of a list whose fields have these values."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any

from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.optim import LearningRate, momentum_of

_MISSING = object()
_SHOWN = 12  # values in a sentence


def filtered(experiments: Sequence[Experiment], conditions: Sequence[str]) -> list[Experiment]:
    """The experiments that meet all conditions.

    Args:
        experiments: a list.
        conditions: such as `beta2=0.99`, `seed=1`, `optimizer=Adam` or `batching.size=64`: a field
            of the optimizer, of the experiment, or of its problem, and those of their fields.

    Raises:
        OptexpError: a condition is none, no experiment has such a field, or none has this value.
    """
    chosen = list(experiments)
    for condition in conditions:
        chosen = _filtered(chosen, condition)
    return chosen


def _filtered(experiments: list[Experiment], condition: str) -> list[Experiment]:
    path, equals, wanted = (part.strip() for part in condition.partition("="))
    if not (path and equals and wanted):
        raise OptexpError(
            f"'{condition}' is no condition: write --where FIELD=VALUE, such as --where "
            "beta2=0.99.",
            code="no-condition",
            condition=condition,
        )
    found = [(e, value_at(e, path)) for e in experiments]
    known = {shown(value): None for _, value in found if value is not _MISSING}
    if not known:
        raise OptexpError(
            f"No run here has a field '{path}': take one of the optimizer, such as beta2, or of "
            "the experiment, such as seed or batching.size.",
            code="no-such-field",
            field=path,
        )
    chosen = [e for e, value in found if value is not _MISSING and is_equal(value, wanted)]
    if not chosen:
        values = ", ".join(list(known)[:_SHOWN]) + ", ..." * (len(known) > _SHOWN)
        raise OptexpError(
            f"No run here has {path}={wanted}: take {values}.",
            code="no-such-value",
            field=path,
            value=wanted,
            known=tuple(known),
        )
    return chosen


def value_at(experiment: Experiment, path: str) -> Any:
    """The value of a field, looked for in the optimizer, the experiment and the problem.

    The momentum of Adam is its `beta1`, as in reports.
    """
    if path == "momentum":
        return momentum_of(experiment.optimizer)
    for start in (experiment.optimizer, experiment, experiment.problem):
        value: Any = start
        for name in path.split("."):
            value = getattr(value, name, _MISSING) if _is_field(value, name) else _MISSING
        if value is not _MISSING:
            return value
    return _MISSING


def _is_field(value: Any, name: str) -> bool:
    return name in getattr(type(value), "__dataclass_fields__", {})


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
