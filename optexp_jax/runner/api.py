"""Run experiments from a program, with `run`."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import overload

from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.results.changes import changed_code
from optexp_jax.results.load import Results, load_results
from optexp_jax.runner.local import run_local
from optexp_jax.runner.options import RunOptions
from optexp_jax.runner.preparation import missing_data
from optexp_jax.runner.progress import progress_display
from optexp_jax.training.modes import Auto


@overload
def run(
    experiments: Experiment,
    workspace: Path | str | None = None,
    *,
    force: bool = False,
    micro_batch: int | Auto | None = "auto",
    progress: bool | None = None,
) -> Results: ...
@overload
def run(
    experiments: Sequence[Experiment],
    workspace: Path | str | None = None,
    *,
    force: bool = False,
    micro_batch: int | Auto | None = "auto",
    progress: bool | None = None,
) -> list[Results]: ...
def run(
    experiments: Experiment | Sequence[Experiment],
    workspace: Path | str | None = None,
    *,
    force: bool = False,
    micro_batch: int | Auto | None = "auto",
    progress: bool | None = None,
) -> Results | list[Results]:
    """Run experiments on this machine and return their results.

    Finished runs are not run again, and interrupted runs resume. Runs that differ only in the
    learning rate or the seed train together, in packs. Environment variables set up wandb. On Linux
    with the GNU C library, this process then keeps the memory that it frees, see docs/speed.md.

    Args:
        experiments: one experiment or a list.
        workspace: folder of the results; None for `OPTEXP_WORKSPACE`, or `./workspace` if that
            is not set.
        force: whether to run finished experiments again, from the first step.
        micro_batch: examples per forward and backward pass; None for a whole batch, `auto` for
            a whole batch or as many examples as fit into the memory of the device.
        progress: whether to show progress on standard error; None to show it in a terminal and
            in a notebook (where bars need `ipywidgets`).

    Returns:
        `Results`, or a list of them in the order given.

    Raises:
        OptexpError: an experiment failed, lacks its data, or is running in another process; or
            the workspace cannot be written.

    >>> import tempfile
    >>> from optexp_jax import Problem
    >>> from optexp_jax.datasets import HeavyTailedOneHot
    >>> from optexp_jax.losses import SquaredLoss
    >>> from optexp_jax.models import Linear, Zeros
    >>> from optexp_jax.optim import SGD, LearningRate
    >>> model = Linear(num_inputs=7, num_classes=7, use_bias=False, init_values=Zeros())
    >>> problem = Problem(model, HeavyTailedOneHot(start_examples=4, base=2), SquaredLoss())
    >>> experiment = Experiment(problem, SGD(LearningRate(0)), group="demo", steps=3)
    >>> with tempfile.TemporaryDirectory() as workspace:
    ...     results = run(experiment, workspace)
    >>> results.status, results.table["tr_SquaredLoss"].round(3).tolist()
    ('done', [0.5, 0.33, 0.231, 0.169])
    """
    settings = Settings.from_env()
    if workspace is not None:
        settings = dataclasses.replace(settings, workspace=Path(workspace))
    chosen = [experiments] if isinstance(experiments, Experiment) else list(experiments)
    options = RunOptions(force=force, micro_batch=micro_batch)
    with progress_display(progress) as display:
        outcome = run_local(chosen, settings, options, display)
    for name, runs in outcome.outdated.items():
        warnings.warn(changed_code(name, runs).replace("--force", "force=True"), stacklevel=2)
    for experiment in outcome.failed:
        reason = outcome.reasons[experiment.run_key]
        raise OptexpError(
            f"Experiment {experiment.short_id} failed: {reason}",
            code="experiment-failed",
            experiment=experiment.short_id,
            reason=reason,
        )
    for experiment, sentence in missing_data(outcome.missing, settings.workspace).items():
        raise OptexpError(
            sentence, code="data-not-here", dataset=type(experiment.problem.dataset).__name__
        )
    if outcome.busy:
        raise OptexpError(
            f"Another process is running experiment {outcome.busy[0].short_id}: wait for it.",
            code="experiment-busy",
            experiment=outcome.busy[0].short_id,
        )
    results = [load_results(experiment, settings.workspace) for experiment in chosen]
    return results[0] if isinstance(experiments, Experiment) else results
