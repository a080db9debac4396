"""Choose hyperparameters for figures: the best among runs without spikes.

At the edge of stability, gradient descent may end with the lowest loss at a learning rate at which
the loss jumps up and down. `selection` rightly chooses such a run, but its curve hides what the
figure should show.
A run has spikes if a recorded training loss, of all classes or of one frequency group, rises by
more than a quarter of its start from one row to the next.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optexp_jax.optim import Optimizer
from optexp_jax.results.best import BestRuns
from optexp_jax.results.load import Results
from optexp_jax.results.selection import (
    best_runs,
    is_finished,
    main_metric,
    method_of,
    rows_until,
    untuned,
)

SPIKE = 0.25  # of the loss at the start


def largest_rise(losses: np.ndarray) -> float:
    """Return the largest rise from one row to the next, as a share of the first row.

    Args:
        losses: `[rows]`, or `[rows, groups]`; a group without examples is NaN throughout.

    Returns:
        the share; 0 if nothing rises, infinity if a loss is not finite.

    >>> print(largest_rise(np.array([4.0, 2.0, 3.0, 1.0])))
    0.25
    """
    if not len(losses):
        return 0.0
    losses = np.asarray(losses, float).reshape(len(losses), -1)
    shown = losses[:, np.isfinite(losses[0])]
    if not np.isfinite(shown).all():
        return float("inf")
    rises = np.diff(shown, axis=0) / shown[:1]
    return float(np.max(rises, initial=0.0))


def has_spikes(results: Results, step: int | None = None, share: float = SPIKE) -> bool:
    """Return whether a training loss, overall or of a group, rises by more than a share.

    Args:
        results: the results of a run.
        step: last step to consider; None for the whole run.
        share: largest allowed rise, as a share of the initial loss.
    """
    metric = main_metric(results.experiment)
    rows = rows_until(results, step)
    rises = [largest_rise(rows[metric].to_numpy(float))] if len(rows) else []
    if f"{metric}PerClass" in results.per_class:
        steps = np.asarray(results.per_class_steps)
        shown = np.full(len(steps), True) if step is None else steps <= step
        groups = results.experiment.problem.dataset.groups(results.class_counts, None)
        rises.append(largest_rise(results.group_means(f"{metric}PerClass", groups, shown)))
    return max(rises, default=0.0) > share


def best_without_spikes(
    results: Sequence[Results], step: int | None = None
) -> tuple[BestRuns, list[Optimizer]]:
    """Find the best runs of each method at hyperparameters at which no run has spikes.

    Args:
        results: runs of one problem.
        step: step at which to compare; None for the end of the runs.

    Returns:
        method -> runs, as from `best_runs`, and the methods with spikes at every setting. For these
        methods, the runs are the best of all.

    Raises:
        OptexpError: runs of several problems, or of several lengths and no step.
    """
    finished = [r for r in results if is_finished(r, step)]
    spiky = {r.experiment.optimizer for r in finished if has_spikes(r, step)}
    calm = best_runs([r for r in finished if r.experiment.optimizer not in spiky], step)
    by_method = {untuned(method, None): (method, runs) for method, runs in calm.items()}
    found, fallen_back = BestRuns(), []
    for method, runs in best_runs(results, step).items():
        known = by_method.get(untuned(method, None))
        if known is None:
            fallen_back.append(method_of(method))
        chosen, of = known or (method, runs)
        found[chosen] = of
    return found, fallen_back
