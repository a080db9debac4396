"""Summarise a run in a line: status, best and last training loss, and size on disk."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

import numpy as np

from optexp_jax.errors import DamagedError, UnreadableError
from optexp_jax.grid import method_name
from optexp_jax.identity import canonical, encode
from optexp_jax.optim import Optimizer
from optexp_jax.results.changes import changed_classes
from optexp_jax.results.selection import main_metric, method_of
from optexp_jax.results.sizes import size_of
from optexp_jax.results.store import RunFolder


@dataclasses.dataclass(frozen=True)
class Summary:
    """A summary of a run.

    Args:
        folder: folder of the run.
        status: status, see `RunFolder.status`.
        details: entries of `status.json`; empty if it cannot be read.
        best: smallest finite training loss; NaN without any.
        final: last training loss, finite or not; NaN without any.
        bytes: size of its files in bytes.
        problem: a sentence on what is damaged or cannot be read; None if nothing is.
    """

    folder: RunFolder
    status: str
    details: dict[str, object]
    best: float
    final: float
    bytes: int
    problem: str | None = None

    @property
    def changed(self) -> list[str]:
        """Names of classes whose code has changed since the run started."""
        return changed_classes(self.folder.experiment, self.details)


def changed_since(folder: RunFolder) -> list[str]:
    """Return classes whose code has changed since a run started; none if it is damaged."""
    try:
        return folder.changed_classes()
    except (DamagedError, UnreadableError):
        return []


def summary_of(folder: RunFolder) -> Summary:
    """Summarise a run; check the hash of its table, but do not read its arrays."""
    details: dict[str, object] = {}
    losses, problem = np.empty(0), None
    try:
        details = folder.read_status()
        status = folder.status_said(details)
        table = folder.read_rows(by_class=False).table
        metric = main_metric(folder.experiment)
        losses = table[metric].to_numpy(float) if metric in table else losses
    except (DamagedError, UnreadableError) as error:
        status, problem = "damaged", str(error)
    finite = losses[np.isfinite(losses)]
    return Summary(
        folder=folder,
        status=status,
        details=details,
        best=float(finite.min()) if len(finite) else math.nan,
        final=float(losses[-1]) if len(losses) else math.nan,
        bytes=size_of(folder.path),
        problem=problem,
    )


def method_names(optimizers: Iterable[Optimizer]) -> dict[Optimizer, str]:
    """Return a name for each method, with the fields in which methods of one name differ.

    Args:
        optimizers: the optimizers; learning rates do not matter.

    >>> from optexp_jax.optim import SGD, Adam
    >>> method_names([SGD("10^-1"), SGD("10^-2"), Adam("10^-1", beta2=0.9)]).values()
    dict_values(['SGD', 'Adam + momentum'])
    >>> method_names([SGD("10^-1", 0.5), SGD("10^-1", 0.9)]).values()
    dict_values(['SGD + momentum (momentum=0.5)', 'SGD + momentum (momentum=0.9)'])
    """
    methods = list(dict.fromkeys(method_of(optimizer) for optimizer in optimizers))
    named: dict[str, list[Optimizer]] = {}
    for method in methods:
        named.setdefault(method_name(method), []).append(method)
    return {method: _distinct(method, named[method_name(method)]) for method in methods}


def _distinct(method: Optimizer, alike: list[Optimizer]) -> str:
    texts = [{name: canonical(value) for name, value in encode(m).items()} for m in alike]
    mine = texts[alike.index(method)]
    differing = [f"{n}={v}" for n, v in mine.items() if len({t.get(n) for t in texts}) > 1]
    return method_name(method) + (f" ({', '.join(differing)})" if differing else "")
