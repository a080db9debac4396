"""`--prepare`: the data of experiments."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from optexp_jax.cli.context import Context
from optexp_jax.cli.display import preparing
from optexp_jax.experiment import Experiment
from optexp_jax.runner import preparation


def prepare(context: Context, experiments: Sequence[Experiment]) -> int:
    """Download and prepare the data of experiments; returns 2 if some cannot be prepared."""
    datasets = preparation.data_of(experiments)
    with preparing(context.console) as report:
        ready, failures = preparation.prepare(datasets, context.settings.workspace, report)
    for name in dict.fromkeys(type(dataset).__name__ for dataset in ready):
        context.say(f"{name} is ready.")
    return tell(failures)


def tell(failures: Sequence[str]) -> int:
    """Print the failures; returns the exit code."""
    for sentence in failures:
        print(f"error: {sentence}", file=sys.stderr)
    return 2 if failures else 0
