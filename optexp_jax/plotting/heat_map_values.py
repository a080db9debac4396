"""Collect what a heat map shows: the final metric over two fields, for each method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from optexp_jax.errors import OptexpError
from optexp_jax.optim import LearningRate, Optimizer, has_rate, kind_of, momentum_of
from optexp_jax.plotting.curves import column, worst_of
from optexp_jax.plotting.facets import Facet, facets
from optexp_jax.plotting.finals import limit_of
from optexp_jax.plotting.names import Labels, distinct_labels
from optexp_jax.problem import Problem
from optexp_jax.results.fields import (
    RATE,
    differing,
    is_tuned_alone,
    require_field,
    tuned_fields,
    value_of,
)
from optexp_jax.results.load import Results
from optexp_jax.results.selection import best_setting, has_diverged, is_finished, method_of

Setting = tuple[Optimizer, Problem]


class HeatMap(NamedTuple):
    """Hold a panel: values `[rows, columns]`, NaN for none, and the cells without a value."""

    title: str
    fields: tuple[str, str]
    x: list[Any]
    y: list[Any]
    values: np.ndarray
    lost: list[tuple[int, int]]
    best: tuple[int, int] | None


def _method(r: Results) -> tuple[type, str, bool]:
    optimizer = r.experiment.optimizer
    return type(optimizer), kind_of(optimizer), momentum_of(optimizer) > 0


def tuned_pairs(results: Sequence[Results]) -> list[tuple[str, str]]:
    """List the pairs of tuned fields for heat maps: the learning rate and each other field.

    Where the learning rate was not tuned, the first two fields. Where problems differ in one field
    only, such as the size of batches, that is one, too.
    """
    of_method: dict[object, list[Optimizer]] = {}
    for r in results:
        of_method.setdefault(_method(r), []).append(r.experiment.optimizer)
    pairs: dict[tuple[str, str], None] = {}
    for optimizers in of_method.values():
        first, *others = tuned_fields(optimizers) or [""]
        pairs |= dict.fromkeys(
            (first, other) for other in (others if first == RATE else others[:1])
        )
    one_of = {r.experiment.problem: r.experiment for r in results}
    in_problems = differing(list(one_of.values()))
    rates = {r.experiment.optimizer.learning_rate for r in results if _has_rate(r)}
    if len(in_problems) == 1 and len(rates) > 1:
        pairs[RATE, in_problems[0]] = None
    return list(pairs)


def _has_rate(r: Results) -> bool:
    return has_rate(r.experiment.optimizer)


def other_field(results: Sequence[Results], x: str) -> str:
    """Return the first tuned field other than this one.

    Raises:
        OptexpError: there is none.
    """
    tuned = [f for f in tuned_fields(r.experiment.optimizer for r in results) if f != x]
    if not tuned:
        raise OptexpError(
            f"The runs differ only in the field '{x}' of their optimizers: name another field, "
            "such as y='batching.size'.",
            code="one-field-only",
            field=x,
        )
    return tuned[0]


def heat_maps(
    results: Sequence[Results],
    fields: tuple[str, str],
    step: int | None,
    metric: str,
    labels: Labels,
) -> list[HeatMap]:
    """Collect the panels: methods in which both fields differ, for each problem.

    Raises:
        OptexpError: no run has a field, or no method has several values of both.
    """
    experiments = [r.experiment for r in results]
    for field in fields:
        require_field(experiments, field)
    of_optimizers = all(is_tuned_alone(experiments, field) for field in fields)
    found = []
    for title, of in facets(results) if of_optimizers else [Facet("", list(results))]:
        methods: dict[object, list[Results]] = {}
        for r in of:
            methods.setdefault(_method(r), []).append(r)
        several = [m for m in methods.values() if all(_values(m, f)[1:] for f in fields)]
        names = distinct_labels(
            [method_of(m[0].experiment.optimizer) for m in several],
            of[0].experiment.problem.batching, labels,
        )  # fmt: skip
        for name, members in zip(names.values(), several, strict=True):
            text = ", ".join(filter(None, (name, title)))
            found.append(_map(text, members, fields, step, metric))
    if not found:
        raise OptexpError(
            f"No method has runs with several values of both '{fields[0]}' and '{fields[1]}': "
            "choose two fields that were tuned together.",
            code="fields-not-varied",
            x=fields[0],
            y=fields[1],
        )
    return found


def _values(results: Sequence[Results], field: str) -> list[Any]:
    """Return the values of a field, with numbers in order."""
    found = list(dict.fromkeys(value_of(r.experiment, field) for r in results))
    numbers = [v for v in found if isinstance(v, int | float | LearningRate)]
    return sorted(numbers, key=float) + [v for v in found if v not in numbers]


def _map(
    title: str, results: list[Results], fields: tuple[str, str], step: int | None, metric: str
) -> HeatMap:
    x, y = (_values(results, field) for field in fields)
    settings: dict[tuple[int, int], dict[Setting, dict[int, Results]]] = {}
    for r in sorted(results, key=lambda r: float(r.experiment.optimizer.learning_rate)):
        if is_finished(r, step):
            e = r.experiment
            at = y.index(value_of(e, fields[1])), x.index(value_of(e, fields[0]))
            cell = settings.setdefault(at, {}).setdefault((e.optimizer, e.problem), {})
            cell[e.seed] = r
    values = np.full((len(y), len(x)), np.nan)
    lost = []
    for at, cell in settings.items():
        chosen = best_setting(cell, step)
        finals = [_final(r, metric, step) for r in cell[chosen].values()] if chosen else [np.nan]
        values[at] = worst_of(metric, np.array(finals))
        if np.isnan(values[at]):
            lost.append(at)
    every = {(at, k): runs for at, cell in settings.items() for k, runs in cell.items()}
    best = best_setting(every, step) if every else None
    return HeatMap(title, fields, x, y, values, lost, best[0] if best else None)


def _final(r: Results, metric: str, step: int | None) -> float:
    """Return the final value; NaN if the run diverged or its loss ended beyond the limit."""
    if has_diverged(r, step) or r.table.empty:
        return np.nan
    series = column(r, metric, step)
    value = float(series.iloc[-1])
    return value if value <= limit_of(metric, float(series.iloc[0])) else np.nan
