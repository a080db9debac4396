"""Which learning rate an optimizer is shown with: one rule for every figure and every claim.

A *method* is an optimizer without its learning rate; its runs differ in learning rate and seed. Its
best rate has the smallest final training loss, the worst over seeds, among the rates at which every
run is stable. The loss is always the recorded, unweighted one, whatever was optimised.

With a `step`, everything is as if the runs had been that long: rows after it are not looked at.
Without one, only runs that ended count. A run that has not got there yet is not compared.

Source: the paper, section A.4; the threshold is fixed before any run (docs/differences.md).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.optim import LearningRate, Optimizer, with_rate
from optexp_jax.results.load import Results

STABLE_FACTOR = 10.0


def method_of(optimizer: Optimizer) -> Optimizer:
    """The optimizer without its learning rate (10^0 stands there); one without a rate is its own.

    >>> from optexp_jax.optim import Adam
    >>> method_of(Adam(LearningRate(-3))) == method_of(Adam(LearningRate(-2)))
    True
    """
    return with_rate(optimizer, LearningRate(0))


def main_metric(experiment: Experiment) -> str:
    """The column that runs are judged by: the unweighted training loss."""
    return f"tr_{experiment.problem.loss.name}"


def rows_until(results: Results, step: int | None = None) -> pd.DataFrame:
    """The recorded rows up to a step, that one included; all of them for None."""
    table = results.table
    return table if step is None or table.empty else table.loc[table["step"] <= step]


def is_finished(results: Results, step: int | None = None) -> bool:
    """Whether the run ended, or has got to the step."""
    if results.status in ("done", "diverged"):
        return True
    return step is not None and _last_step(results) >= step


def has_diverged(results: Results, step: int | None = None) -> bool:
    """Whether the loss or its gradient stopped being finite, up to the step."""
    if results.status != "diverged":
        return False
    return step is None or _last_step(results) <= step


def is_stable(results: Results, factor: float = STABLE_FACTOR, step: int | None = None) -> bool:
    """Whether the recorded training loss never exceeded a multiple of its start.

    Args:
        results: what a run recorded.
        factor: the multiple.
        step: where to stop looking; None for the whole run.

    Returns:
        False as well for a run that diverged or recorded nothing.
    """
    losses = _losses(results, step)
    if has_diverged(results, step) or len(losses) == 0:
        return False
    return bool(np.max(losses) <= factor * losses[0])


def score(results: Results, step: int | None = None) -> float:
    """The training loss at the end of a run, or at the last row up to `step`.

    Returns:
        infinity for a run that diverged, failed, or has not got there.
    """
    losses = _losses(results, step)
    if not is_finished(results, step) or has_diverged(results, step) or len(losses) == 0:
        return math.inf
    return float(losses[-1]) if np.isfinite(losses[-1]) else math.inf


def best_rates(
    results: Sequence[Results], step: int | None = None
) -> dict[Optimizer, LearningRate]:
    """The best learning rate of each method.

    Rates are compared on the seeds that all rates of the method have, so that a rate with fewer
    seeds gains nothing by it; where there is no such seed, on the one that most rates have. A rate
    is stable when all its runs are. Without a stable rate, unstable ones compete; a rate at
    which a run diverged is never chosen. Of equal rates the smallest is taken.

    Args:
        results: runs of one problem.
        step: where to compare; None for the end of the runs.

    Returns:
        method to rate, in the order of the results; a method without a finite finished run is
        absent.

    Raises:
        OptexpError: runs of several problems, or of several lengths and no step.
    """
    _check_comparable(results, step)
    runs: dict[Optimizer, dict[LearningRate, dict[int, Results]]] = {}
    for r in results:
        if is_finished(r, step):
            optimizer = r.experiment.optimizer
            rates = runs.setdefault(method_of(optimizer), {})
            rates.setdefault(optimizer.learning_rate, {})[r.experiment.seed] = r
    best = {method: _best_rate(rates, step) for method, rates in runs.items()}
    return {method: rate for method, rate in best.items() if rate is not None}


def best_runs(
    results: Sequence[Results], step: int | None = None
) -> dict[Optimizer, list[Results]]:
    """The finished runs of each method at its best rate, by seed; see `best_rates`."""
    rates = best_rates(results, step)
    runs: dict[Optimizer, list[Results]] = {method: [] for method in rates}
    for r in sorted(results, key=lambda r: r.experiment.seed):
        method = method_of(r.experiment.optimizer)
        if is_finished(r, step) and rates.get(method) == r.experiment.optimizer.learning_rate:
            runs[method].append(r)
    return runs


def worst_seed(runs: Sequence[Results], step: int | None = None) -> Results:
    """Of the seeds of a method the one with the worst loss, which figures by class show."""
    return max(runs, key=lambda r: score(r, step))


def step_of_epoch(results: Sequence[Results], epoch: float) -> int:
    """The step at which an epoch of these runs ends.

    Raises:
        OptexpError: no run got past its start, so the steps of an epoch are not known.
    """
    for r in results:
        if _last_step(r) > 0:
            return round(epoch * _last_step(r) / r.table["epoch"].iloc[-1])
    raise OptexpError(
        "Nothing is recorded yet, so an epoch has no known length: run it first.",
        code="epoch-of-unknown-length",
    )


def _last_step(results: Results) -> int:
    return -1 if results.table.empty else int(results.table["step"].iloc[-1])


def _losses(results: Results, step: int | None) -> np.ndarray:
    rows = rows_until(results, step)
    return rows[main_metric(results.experiment)].to_numpy(float) if len(rows) else np.empty(0)


def _best_rate(
    runs: dict[LearningRate, dict[int, Results]], step: int | None
) -> LearningRate | None:
    seeds = _common_seeds([set(by_seed) for by_seed in runs.values()])
    finite, stable = {}, {}
    for rate in sorted(runs, key=float):
        by_seed = runs[rate]
        scores = {seed: score(r, step) for seed, r in by_seed.items()}
        if seeds <= by_seed.keys() and max(scores.values()) < math.inf:
            finite[rate] = max(scores[seed] for seed in seeds)
            if all(is_stable(r, step=step) for r in by_seed.values()):
                stable[rate] = finite[rate]
    candidates = stable or finite
    return min(candidates, key=lambda rate: candidates[rate], default=None)


def _common_seeds(seeds: Sequence[set[int]]) -> set[int]:
    counts = Counter(seed for some in seeds for seed in some)
    return set.intersection(*seeds) or {min(counts, key=lambda seed: (-counts[seed], seed))}


def _check_comparable(results: Sequence[Results], step: int | None) -> None:
    if len({r.experiment.problem for r in results}) > 1:
        raise OptexpError(
            "These runs learn different problems, so their learning rates do not compare: hand "
            "over the runs of one problem at a time.",
            code="different-problems",
        )
    if step is None and len({(r.experiment.epochs, r.experiment.steps) for r in results}) > 1:
        raise OptexpError(
            "These runs have different lengths: give the step (--use_steps --step N) at which to "
            "compare them.",
            code="different-lengths",
        )
