"""Choose which runs share a panel: those of one problem, or with one value of a field."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from optexp_jax.experiment import Experiment
from optexp_jax.grid import flat_fields
from optexp_jax.plotting.names import as_mathematics, field_label, shown
from optexp_jax.problem import Problem
from optexp_jax.results.fields import require_field, value_of
from optexp_jax.results.load import Results

_PARTS = ("model", "dataset", "loss", "batching")
_MOST = 2  # fields of a part that a title tells
BATCH, _FULL = "batching.size", "full batch"
_WIDTH = 22  # characters of a line of a title
# What follows from the data set.
_OF_DATA = {"num_inputs", "num_classes", "vocabulary_size"}


class Facet(NamedTuple):
    """Hold the runs of a panel, and what distinguishes them from other panels."""

    title: str
    results: list[Results]


def facets(results: Sequence[Results], field: str | None = None) -> list[Facet]:
    """Split runs into the panels of a figure.

    Args:
        results: of any problems.
        field: the field in which panels differ, see `value_of`; None for the problem only.

    Returns:
        a panel for each problem and each value, in the order of the numbers or else of the runs;
        a single panel has no title.

    Raises:
        OptexpError: no run has such a field.
    """
    problems = list(dict.fromkeys(r.experiment.problem for r in results))
    one_of = {r.experiment.problem: r.experiment for r in reversed(results)}
    names = dict(zip(problems, titles([one_of[p] for p in problems]), strict=True))
    if field is None:
        found = _grouped(results, lambda e: (names[e.problem],))
        return [Facet(_wrapped(*key), of) for key, of in found.items()]
    require_field([r.experiment for r in results], field)
    value_is_known = _tells(problems, one_of, field)
    found = _grouped(
        _sorted(results, field),
        lambda e: (_told(field, e), "" if value_is_known else names[e.problem]),
    )
    return [Facet(_wrapped(*key), of) for key, of in found.items()]


def _grouped(
    results: Sequence[Results], key: Callable[[Experiment], tuple[str, ...]]
) -> dict[tuple[str, ...], list[Results]]:
    found: dict[tuple[str, ...], list[Results]] = {}
    for r in results:
        found.setdefault(key(r.experiment), []).append(r)
    return found


def _sorted(results: Sequence[Results], field: str) -> list[Results]:
    values = [value_of(r.experiment, field) for r in results]
    if not all(isinstance(v, int | float) or hasattr(v, "__float__") for v in values):
        return list(results)
    return sorted(results, key=lambda r: float(value_of(r.experiment, field)))


def _told(field: str, experiment: Experiment) -> str:
    value = value_of(experiment, field)
    if field == BATCH and value is None:
        return _FULL
    if value is None:
        return f"no {field_label(field)}"
    if field == "optimizer":
        return str(value)
    return f"{field_label(field)} = {short(value)}"


def _tells(problems: Sequence[Problem], one_of: dict[Problem, Experiment], field: str) -> bool:
    """Check whether the problems differ only in that field, or not at all."""
    values = [short(value_of(one_of[p], field)) for p in problems]
    return len(problems) == 1 or len(set(values)) == len(problems)


def titles(experiments: Sequence[Experiment]) -> list[str]:
    """Name the differences between the problems of experiments, in a few words each.

    Args:
        experiments: one of each problem.

    >>> from optexp_jax import MiniBatch
    >>> from optexp_jax.datasets import HeavyTailedOneHot
    >>> from optexp_jax.losses import CrossEntropy
    >>> from optexp_jax.models import Linear
    >>> from optexp_jax.optim import SGD
    >>> data = HeavyTailedOneHot(4, 2)
    >>> problems = [Problem(Linear(7, 7), data, CrossEntropy(), MiniBatch(n)) for n in (2, 4)]
    >>> titles([Experiment(p, SGD("10^-1"), "demo", steps=3) for p in problems])
    ['batch size = 2', 'batch size = 4']
    """
    if len(experiments) < 2:
        return [""] * len(experiments)
    fields = [_flat(e) for e in experiments]
    parts = {part: _differences(part, fields) for part in _PARTS}
    if all(parts["dataset"]) and not _tells_more(fields):
        parts["model"] = [""] * len(fields)
    parts["more"] = [
        ", ".join(
            f"{field_label(name)} = {short(of[name])}"
            for name in ("l2", "precision")
            if len({str(f[name]) for f in fields}) > 1
        )
        for of in fields
    ]
    found = [", ".join(filter(None, each)) for each in zip(*parts.values(), strict=True)]
    if len(set(found)) == len(found):
        return found
    return [f"{text or 'problem'} ({number})" for number, text in enumerate(found, 1)]


def _flat(experiment: Experiment) -> dict[str, Any]:
    """Return the fields of the problem by path; pairs of a name and a value are fields, too."""
    found: dict[str, Any] = {}
    for path, value in flat_fields(experiment).items():
        if not path.startswith("problem."):
            continue
        path = path.removeprefix("problem.")
        pairs = isinstance(value, list) and all(_is_pair(v) for v in value)
        found |= {f"{path}.{k}": v for k, v in value} if pairs else {path: value}
    return found


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)


def _differences(part: str, fields: Sequence[dict[str, Any]]) -> list[str]:
    """Say how a part of the problems differs: in its class, or in fields."""
    kinds = [of[f"{part}.type"] for of in fields]
    found = []
    for kind, of in zip(kinds, fields, strict=True):
        alike = [f for f, other in zip(fields, kinds, strict=True) if other == kind]
        paths = [p for p in of if p.startswith(f"{part}.")]
        paths = [p for p in paths if len({str(f.get(p)) for f in alike}) > 1]
        told = [p for p in paths if p.rpartition(".")[2] not in _OF_DATA] or paths
        if f"{part}.name" in told:
            told = [f"{part}.name"]
        words = ", ".join(f"{field_label(p)} = {short(of[p])}" for p in told[:_MOST])
        if part == "batching" and len(set(kinds)) > 1:
            size = of.get(BATCH)
            words = _FULL if size is None else f"{field_label(BATCH)} = {size}"
        elif len(set(kinds)) > 1:
            words = f"{kind} ({words})" if words else kind
        found.append(words)
    return found


def _tells_more(fields: Sequence[dict[str, Any]]) -> bool:
    """Check whether models differ in more than their data require."""
    paths = {p for of in fields for p in of if p.startswith("model.")}
    differ = {p for p in paths if len({str(of.get(p)) for of in fields}) > 1}
    return any(p.rpartition(".")[2] not in _OF_DATA for p in differ)


def short(value: Any) -> str:
    """Write a value in a title: a class by its name, a list as a tuple."""
    if isinstance(value, list | tuple):
        return f"({', '.join(map(short, value))})"
    plain = value is None or isinstance(value, int | float | str) or hasattr(value, "exponent")
    return shown(value) if plain else type(value).__name__


def _wrapped(*parts: str) -> str:
    return as_mathematics("\n".join(textwrap.wrap(", ".join(filter(None, parts)), _WIDTH)))
