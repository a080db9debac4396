"""Choose the runs to draw, and name those that are missing."""

from __future__ import annotations

from collections.abc import Sequence

from optexp_jax.errors import OptexpError
from optexp_jax.optim import Optimizer, has_rate
from optexp_jax.plotting.facets import facets
from optexp_jax.plotting.style import label
from optexp_jax.results.load import Results
from optexp_jax.results.selection import best_rates, best_runs, is_finished, method_of

_NAMED = 4


def chosen_runs(
    results: Sequence[Results], step: int | None = None, over: Sequence[str] | None = None
) -> dict[Optimizer, list[Results]]:
    """Choose the runs of each method at its best hyperparameters.

    Args:
        results: runs of one problem.
        step: where to compare; None for the end of the runs.
        over: the fields that were tuned, None for all, see `best_runs`.

    Raises:
        OptexpError: there is nothing to draw.
    """
    require_some(results, step)
    runs = best_runs(results, step, over)
    if not runs:
        raise OptexpError(
            f"Every finished run of '{results[0].experiment.group}' diverged: run smaller learning "
            "rates.",
            code="all-diverged",
            group=results[0].experiment.group,
        )
    return runs


def require_some(results: Sequence[Results], step: int | None = None) -> None:
    """Raise an error if there is nothing to draw.

    Raises:
        OptexpError: no run recorded a row, or none is finished; names the remedy.
    """
    recorded = [r for r in results if len(r.table)]
    if not recorded:
        group = f"of '{results[0].experiment.group}'" if results else "for this figure"
        raise OptexpError(
            f"There are no results {group}: first run python -m experiments.<module> --local "
            "(python -m experiments --list shows the modules).",
            code="nothing-recorded",
            group=results[0].experiment.group if results else None,
        )
    if not any(is_finished(r, step) for r in recorded):
        furthest = max(int(r.table["step"].iloc[-1]) for r in recorded)
        raise OptexpError(
            f"No run of '{recorded[0].experiment.group}' has reached this step: let the runs "
            f"finish, or draw them so far with --use_steps --step {furthest}.",
            code="none-finished",
            group=recorded[0].experiment.group,
            furthest=furthest,
        )


def missing_note(results: Sequence[Results], step: int | None = None) -> str:
    """Say what a figure cannot show; empty if it shows everything.

    Args:
        results: of all experiments of the figure; those not run have the status `missing`.
        step: where runs are compared; None for their end.

    Returns:
        such as `missing: 2 of 8 runs (Adam 10^-2; GD 10^-1, running)`, and the optimizers that
        diverged at every learning rate.
    """
    missing = [r for r in results if not is_finished(r, step)]
    several = len({r.experiment.seed for r in results}) > 1
    names = [_name(r, several) for r in missing[:_NAMED]] + ["…"] * (len(missing) > _NAMED)
    parts = (
        [f"missing: {len(missing)} of {len(results)} runs ({'; '.join(names)})"] if names else []
    )
    found = facets(results)
    for title, of_problem in found:
        where = f" ({' '.join(title.split())})" if title else ""
        hopeless = _hopeless(of_problem, step)
        parts += [f"diverged at every learning rate: {text}{where}" for text in hopeless]
    return "; ".join(parts)


def _hopeless(results: Sequence[Results], step: int | None) -> list[str]:
    """List the methods of a problem whose finished runs all diverged."""
    finished = [r.experiment for r in results if is_finished(r, step)]
    best = best_rates(results, step)
    lost = [e for e in finished if method_of(e.optimizer) not in best]
    return list(dict.fromkeys(label(e.optimizer, e.problem.batching) for e in lost))


def _name(results: Results, several_seeds: bool) -> str:
    experiment = results.experiment
    optimizer = experiment.optimizer
    text = label(optimizer, experiment.problem.batching)
    text += f" {optimizer.learning_rate}" if has_rate(optimizer) else ""
    text += f" seed {experiment.seed}" if several_seeds else ""
    return text if results.status == "missing" else f"{text}, {results.status}"
