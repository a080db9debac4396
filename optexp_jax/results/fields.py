"""Look up fields of experiments by name, and find those that were tuned."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.grid import flat_fields
from optexp_jax.optim import Optimizer, has_rate, kind_of, momentum_of

RATE = "learning_rate"
MOMENTA = ("momentum", "beta1")  # what `momentum_of` asks for
MISSING = object()  # no value: a field may hold None


def values_of(optimizer: Optimizer) -> dict[str, Any]:
    """Return the fields of an optimizer, name -> value, with its `hyperparameters`.

    >>> from optexp_jax.optim import SGD
    >>> values_of(SGD("10^-1", 0.9))["momentum"]
    0.9
    """
    found = {f.name: getattr(optimizer, f.name) for f in dataclasses.fields(optimizer)}
    return found | dict(found.pop("hyperparameters", ()))


def value_of(experiment: Experiment, field: str) -> Any:
    """Return the value of a field of an optimizer, an experiment or its problem.

    Args:
        experiment: the experiment.
        field: name such as `weight_decay`, `seed`, `batching.size` or `model.width`. `momentum` is
            `beta1` for Adam, and `optimizer` is the name of the method.

    Returns:
        the value; None if the experiment has no such field.
    """
    found = look_up(experiment, field)
    return None if found is MISSING else found


def look_up(experiment: Experiment, field: str) -> Any:
    """Return the value of a field as `value_of`, but `MISSING` if there is no such field."""
    if field == RATE:
        return experiment.optimizer.learning_rate
    if field == "momentum":
        return momentum_of(experiment.optimizer)
    if field == "optimizer":
        return kind_of(experiment.optimizer)
    known = values_of(experiment.optimizer)
    if field in known:
        return known[field]
    path = field.removeprefix("problem.")
    for start in (experiment, experiment.problem, experiment.optimizer):
        value: Any = start
        for name in path.split("."):
            value = getattr(value, name, MISSING) if _has(value, name) else MISSING
        if value is not MISSING:
            return value
    return MISSING


def is_tuned_alone(experiments: Sequence[Experiment], field: str) -> bool:
    """Return whether a field belongs to the optimizer, not to the problem."""
    if field in (RATE, "momentum", "optimizer"):
        return True
    return any(field in values_of(e.optimizer) for e in experiments)


def _has(value: Any, name: str) -> bool:
    return name in getattr(type(value), "__dataclass_fields__", {})


def require_field(experiments: Sequence[Experiment], field: str) -> None:
    """Refuse a field that no experiment has.

    Raises:
        OptexpError: no experiment has it; the message names fields in which they differ.
    """
    if any(look_up(e, field) is not MISSING for e in experiments):
        return
    known = [*tuned_fields(e.optimizer for e in experiments), *differing(experiments)]
    raise OptexpError(
        f"No run has a field '{field}': choose one in which the runs differ, such as "
        f"{', '.join(known) or RATE}.",
        code="unknown-field",
        field=field,
        known=tuple(known),
    )


def tuned_fields(optimizers: Iterable[Optimizer]) -> list[str]:
    """Return the fields in which optimizers of one method differ, the learning rate first.

    >>> from optexp_jax.optim import SGD, AdamW
    >>> rates = ("10^-2", "10^-1")
    >>> tuned_fields([AdamW(rate, weight_decay=decay) for rate in rates for decay in (0.0, 0.1)])
    ['learning_rate', 'weight_decay']
    >>> tuned_fields([SGD("10^-1"), SGD("10^-1", 0.9)])  # two methods
    []
    """
    several: dict[tuple[str, bool], dict[str, set[Any]]] = {}
    for optimizer in dict.fromkeys(optimizers):
        seen = several.setdefault((kind_of(optimizer), momentum_of(optimizer) > 0), {})
        for name, value in values_of(optimizer).items():
            if name != RATE or has_rate(optimizer):
                seen.setdefault(name, set()).add(value)
    fields = [n for seen in several.values() for n, values in seen.items() if len(values) > 1]
    return sorted(dict.fromkeys(fields), key=lambda name: name != RATE)


def differing(experiments: Sequence[Experiment]) -> list[str]:
    """Return the fields of problems in which experiments differ, such as `batching.size`.

    Fields that follow from others are left out, such as `type`.
    """
    values: dict[str, list[Any]] = {}
    every = [flat_fields(e) for e in experiments]
    for path in dict.fromkeys(p for fields in every for p in fields if p.startswith("problem.")):
        values[path.removeprefix("problem.")] = [fields.get(path) for fields in every]
    return [path for path, of in values.items() if len({repr(v) for v in of}) > 1]
