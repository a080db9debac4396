"""Runs for curves that are to be read: each method at its best learning rate without spikes."""

from __future__ import annotations

import contextlib

from optexp_jax.optim import Optimizer
from optexp_jax.plotting import style
from optexp_jax.plotting.available import missing_note, require_some
from optexp_jax.results.load import Results
from optexp_jax.results.spikes import best_without_spikes
from plots.runs import Chosen, MissingRunsError, Runs

TITLE = "at the best learning rates without spikes"
_RULE = (
    "Each method at its best learning rate without spikes: no loss rises by a quarter of its start "
    "from one row to the next"
)


def smooth(
    runs: Runs,
    *modules: str,
    slower: str,
    kinds: tuple[type, ...],
    step: int | None = None,
) -> Chosen:
    """Each method at its best learning rate among those at which no run has spikes.

    Where all have spikes it is the best of all, and a note says so.

    Args:
        runs: where from.
        *modules: of the figure, as for `Runs.chosen`.
        slower: a module with the same methods at smaller learning rates, as far as it was run.
        kinds: of optimizers, that the figure shows.
        step: where runs are compared; None for their end.

    Raises:
        MissingRunsError: no run of the figure's own modules is finished; says what makes them.
    """
    of_figure = runs.of(*modules)
    require_some(of_figure, step)
    chosen, spiky = best_without_spikes([*of_figure, *_recorded(runs, slower)], step)
    spiky = [optimizer for optimizer in spiky if type(optimizer) in kinds]
    notes = (_RULE, _note(spiky, of_figure, _remedy(runs, slower)), missing_note(of_figure, step))
    return Chosen(dict(chosen), step, runs.remedy(*modules), "; ".join(filter(None, notes)))


def _recorded(runs: Runs, module: str) -> list[Results]:
    """What there is of a module that a figure can do without; the paper released none of it."""
    if runs.source == "paper":
        return []
    with contextlib.suppress(MissingRunsError):
        return [r for r in runs.of(module) if len(r.table)]
    return []


def _remedy(runs: Runs, module: str) -> str:
    """The command that runs smaller learning rates, in brackets; empty where there are none."""
    ours = runs.source != "paper" and runs.have(module)
    return f" ({runs.remedy(module)})" if ours else ""


def _note(spiky: list[Optimizer], results: list[Results], remedy: str) -> str:
    """Name the methods that have spikes at every learning rate."""
    batching = results[0].experiment.problem.batching
    names = ", ".join(style.label(optimizer, batching) for optimizer in spiky)
    return f"with spikes at every learning rate: {names}{remedy}" if names else ""
