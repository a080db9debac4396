"""Which runs there are to draw, and a sentence on those that are missing."""

from __future__ import annotations

from collections.abc import Sequence

from optexp_jax.errors import OptexpError
from optexp_jax.optim import Optimizer, has_rate
from optexp_jax.plotting.style import label
from optexp_jax.results.load import Results
from optexp_jax.results.selection import best_rates, best_runs, is_finished, method_of

_NAMED = 4


def chosen_runs(
    results: Sequence[Results], step: int | None = None
) -> dict[Optimizer, list[Results]]:
    """The runs of each method at its best rate.

    Args:
        results: runs of one problem.
        step: where to compare rates; None for the end of the runs.

    Raises:
        OptexpError: there is nothing to draw.
    """
    require_some(results, step)
    runs = best_runs(results, step)
    if not runs:
        raise OptexpError(
            f"Every finished run of '{results[0].experiment.group}' diverged: run smaller learning "
            "rates.",
            code="all-diverged",
            group=results[0].experiment.group,
        )
    return runs


def require_some(results: Sequence[Results], step: int | None = None) -> None:
    """Refuse to draw nothing.

    Raises:
        OptexpError: no run recorded a row, or none is finished; names the remedy.
    """
    recorded = [r for r in results if len(r.table)]
    if not recorded:
        group = f"of '{results[0].experiment.group}'" if results else "for this figure"
        raise OptexpError(
            f"Nothing is recorded {group}: run it first with python -m experiments.<module> "
            "--local (python -m experiments --list names the module).",
            code="nothing-recorded",
            group=results[0].experiment.group if results else None,
        )
    if not any(is_finished(r, step) for r in recorded):
        furthest = max(int(r.table["step"].iloc[-1]) for r in recorded)
        raise OptexpError(
            f"No run of '{recorded[0].experiment.group}' has got there: let the runs finish, or "
            f"draw what there is with --use_steps --step {furthest}.",
            code="none-finished",
            group=recorded[0].experiment.group,
            furthest=furthest,
        )


def missing_note(results: Sequence[Results], step: int | None = None) -> str:
    """A sentence on what a figure cannot show; empty when it shows everything.

    Args:
        results: of all experiments of the figure, those not run with status `missing`.
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
    finished = [r.experiment for r in results if is_finished(r, step)]
    best = best_rates(results, step)
    hopeless = [e for e in finished if method_of(e.optimizer) not in best]
    labels = dict.fromkeys(label(e.optimizer, e.problem.batching) for e in hopeless)
    return "; ".join([*parts, *(f"diverged at every step size: {text}" for text in labels)])


def _name(results: Results, several_seeds: bool) -> str:
    experiment = results.experiment
    optimizer = experiment.optimizer
    text = label(optimizer, experiment.problem.batching)
    text += f" {optimizer.learning_rate}" if has_rate(optimizer) else ""
    text += f" seed {experiment.seed}" if several_seeds else ""
    return text if results.status == "missing" else f"{text}, {results.status}"
