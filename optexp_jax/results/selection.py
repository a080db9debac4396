"""Choose the best hyperparameters of each method: one rule for every figure and every claim.

A *method* is an optimizer without its tuned fields: `best_rates` tunes the learning rate,
`best_runs` every field. The best values have the smallest final training loss, the worst over
seeds, among those at which every run is stable. The loss is always the recorded, unweighted one,
even if another one was optimised.

With a `step`, runs are compared as if they had ended there: later rows are ignored, and runs that
have not reached the step are left out. Without one, only runs that have ended count.

Source: the paper, section A.4; the threshold is fixed before any run (docs/differences.md).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd

from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.optim import LearningRate, Optimizer, kind_of, momentum_of, with_rate
from optexp_jax.problem import Problem
from optexp_jax.results.best import BestRuns
from optexp_jax.results.fields import MOMENTA, RATE, require_field, values_of
from optexp_jax.results.load import Results

Setting = TypeVar("Setting")

STABLE_FACTOR = 10.0


def method_of(optimizer: Optimizer) -> Optimizer:
    """Return the optimizer without its learning rate, which becomes 10^0.

    >>> from optexp_jax.optim import Adam
    >>> method_of(Adam(LearningRate(-3))) == method_of(Adam(LearningRate(-2)))
    True
    """
    return with_rate(optimizer, LearningRate(0))


def main_metric(experiment: Experiment) -> str:
    """Return the name of the column that compares runs: the unweighted training loss."""
    return f"tr_{experiment.problem.loss.name}"


def rows_until(results: Results, step: int | None = None) -> pd.DataFrame:
    """Return the recorded rows up to and including a step; all rows for None."""
    table = results.table
    return table if step is None or table.empty else table.loc[table["step"] <= step]


def is_finished(results: Results, step: int | None = None) -> bool:
    """Return whether a run has ended, or reached the step."""
    if results.status in ("done", "diverged"):
        return True
    return step is not None and _last_step(results) >= step


def has_diverged(results: Results, step: int | None = None) -> bool:
    """Return whether the loss or its gradient became infinite or NaN, up to the step."""
    if results.status != "diverged":
        return False
    return step is None or _last_step(results) <= step


def is_stable(results: Results, factor: float = STABLE_FACTOR, step: int | None = None) -> bool:
    """Return whether the training loss never exceeded a multiple of its initial value.

    Args:
        results: the results of a run.
        factor: the multiple.
        step: last step to consider; None for the whole run.

    Returns:
        True if the run is stable; False also if it diverged or recorded nothing.
    """
    losses = _losses(results, step)
    if has_diverged(results, step) or len(losses) == 0:
        return False
    return bool(np.max(losses) <= factor * losses[0])


def score(results: Results, step: int | None = None) -> float:
    """Return the training loss at the end of a run, or at the last row up to `step`.

    Returns:
        the loss; infinity for a run that diverged, failed, or has not reached the step.
    """
    losses = _losses(results, step)
    if not is_finished(results, step) or has_diverged(results, step) or len(losses) == 0:
        return math.inf
    return float(losses[-1]) if np.isfinite(losses[-1]) else math.inf


def best_rates(
    results: Sequence[Results], step: int | None = None
) -> dict[Optimizer, LearningRate]:
    """Find the best learning rate of each method.

    Learning rates are compared on the seeds that all of them have, so that fewer seeds are no
    advantage; if there is no such seed, on the seed that most of them have. A learning rate is
    stable if all its runs are. Unstable ones are chosen only if none is stable; a learning rate at
    which a run diverged is never chosen. Of equally good ones the smallest is chosen.

    Args:
        results: runs of one problem.
        step: step at which to compare; None for the end of the runs.

    Returns:
        method -> learning rate, in the order of the results; without methods that have no finished
        run with a finite loss.

    Raises:
        OptexpError: runs of several problems, or of several lengths and no step.
    """
    found = _settings(results, step, (RATE,))
    best = {method: best_setting(settings, step) for method, settings in found.items()}
    return {method_of(o): o.learning_rate for o in best.values() if o is not None}


def best_runs(
    results: Sequence[Results], step: int | None = None, over: Sequence[str] | None = None
) -> BestRuns:
    """Find the runs of each method with its best hyperparameters, one for each seed.

    They are chosen as in `best_rates`, over all tuned fields together.

    Args:
        results: runs of one problem.
        step: step at which to compare; None for the end of the runs.
        over: the fields that were tuned, such as `("learning_rate", "weight_decay")`; optimizers
            that differ in another field are different methods. None for all fields. Optimizers
            with and without momentum are always different methods.

    Returns:
        method -> runs, in the order of the results; the method is the best optimizer without its
        learning rate. `print` shows a table, `table()` returns it.

    Raises:
        OptexpError: runs of several problems, or of several lengths and no step; a field that no
            run has.
    """
    for field in over or ():
        require_field([r.experiment for r in results], field)
    best = [best_setting(s, step) for s in _settings(results, step, over).values()]
    runs: dict[Optimizer, list[Results]] = {o: [] for o in best if o is not None}
    for r in sorted(results, key=lambda r: r.experiment.seed):
        if is_finished(r, step) and r.experiment.optimizer in runs:
            runs[r.experiment.optimizer].append(r)
    return BestRuns({method_of(optimizer): of for optimizer, of in runs.items()})


def worst_seed(runs: Sequence[Results], step: int | None = None) -> Results:
    """Return the run of a method with the worst loss over seeds, for figures by class."""
    return max(runs, key=lambda r: score(r, step))


def step_of_epoch(results: Sequence[Results], epoch: float) -> int:
    """Return the step at which an epoch of these runs ends.

    Raises:
        OptexpError: no run has a row after step 0, so the steps per epoch are not known.
    """
    for r in results:
        if _last_step(r) > 0:
            return round(epoch * _last_step(r) / r.table["epoch"].iloc[-1])
    raise OptexpError(
        "There are no results yet, so the length of an epoch is unknown: run the experiment first.",
        code="epoch-of-unknown-length",
    )


def steps_of_epoch(results: Sequence[Results], epoch: float) -> list[int]:
    """Return problem -> step at which an epoch ends, for problems with rows after step 0.

    Raises:
        OptexpError: no run has a row after step 0.
    """
    problems: dict[Problem, list[Results]] = {}
    for r in results:
        if _last_step(r) > 0:
            problems.setdefault(r.experiment.problem, []).append(r)
    return [step_of_epoch(of, epoch) for of in problems.values()] or [step_of_epoch([], epoch)]


def _last_step(results: Results) -> int:
    return -1 if results.table.empty else int(results.table["step"].iloc[-1])


def _losses(results: Results, step: int | None) -> np.ndarray:
    rows = rows_until(results, step)
    return rows[main_metric(results.experiment)].to_numpy(float) if len(rows) else np.empty(0)


def untuned(optimizer: Optimizer, over: Sequence[str] | None) -> Hashable:
    """Return what optimizers share if they differ only in tuned fields; see `best_runs`."""
    name = type(optimizer), kind_of(optimizer), momentum_of(optimizer) > 0
    if over is None:
        return name
    tuned = {*over, *(MOMENTA if "momentum" in over else ())}
    kept = (pair for pair in values_of(optimizer).items() if pair[0] not in tuned)
    return *name, *kept


def _settings(
    results: Sequence[Results], step: int | None, over: Sequence[str] | None
) -> dict[Hashable, dict[Optimizer, dict[int, Results]]]:
    """Group finished runs by method, optimizer and seed, smallest learning rates first."""
    _check_comparable(results, step)
    found: dict[Hashable, dict[Optimizer, dict[int, Results]]] = {}
    for r in results:
        if is_finished(r, step):
            optimizer = r.experiment.optimizer
            settings = found.setdefault(untuned(optimizer, over), {})
            settings.setdefault(optimizer, {})[r.experiment.seed] = r
    return {method: _by_rate(settings) for method, settings in found.items()}


def _by_rate(settings: dict[Optimizer, dict[int, Results]]) -> dict[Optimizer, dict[int, Results]]:
    return dict(sorted(settings.items(), key=lambda item: float(item[0].learning_rate)))


def best_setting(
    settings: Mapping[Setting, Mapping[int, Results]], step: int | None = None
) -> Setting | None:
    """Return the best of several settings, each seed -> finished run; of equal ones the first.

    Returns:
        the best setting; None if every run diverged or failed.
    """
    seeds = _common_seeds([set(by_seed) for by_seed in settings.values()])
    finite, stable = {}, {}
    for setting, by_seed in settings.items():
        scores = {seed: score(r, step) for seed, r in by_seed.items()}
        if seeds <= by_seed.keys() and max(scores.values()) < math.inf:
            finite[setting] = max(scores[seed] for seed in seeds)
            if all(is_stable(r, step=step) for r in by_seed.values()):
                stable[setting] = finite[setting]
    candidates = stable or finite
    return min(candidates, key=lambda setting: candidates[setting], default=None)


def _common_seeds(seeds: Sequence[set[int]]) -> set[int]:
    counts = Counter(seed for some in seeds for seed in some)
    return set.intersection(*seeds) or {min(counts, key=lambda seed: (-counts[seed], seed))}


def _check_comparable(results: Sequence[Results], step: int | None) -> None:
    if len({r.experiment.problem for r in results}) > 1:
        raise OptexpError(
            "The runs have different problems, so their learning rates cannot be compared: pass "
            "the runs of one problem at a time.",
            code="different-problems",
        )
    if step is None and len({(r.experiment.epochs, r.experiment.steps) for r in results}) > 1:
        raise OptexpError(
            "The runs have different lengths: name the step at which to compare them, with "
            "--use_steps --step N.",
            code="different-lengths",
        )
