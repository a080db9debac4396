"""About how long a run takes, before it starts."""

from __future__ import annotations

from collections.abc import Sequence

from optexp_jax.cli.selection import Small
from optexp_jax.experiment import Experiment
from optexp_jax.forms import SmallForm
from optexp_jax.optim import kind_of
from optexp_jax.runner.pace import duration

QUICK = 20.0  # seconds that are short enough for a first test
_AROUND = 5.0  # seconds to import, and to draw the figure


def seconds_at(
    scale: str,
    experiments: Sequence[Experiment],
    small: Small | None,
    chosen: Experiment | None = None,
) -> float | None:
    """About how long a run of a smaller form takes; None where it is not known.

    Args:
        scale: `small` or `medium`.
        experiments: at paper scale.
        small: their smaller forms.
        chosen: the run of the form, the first one unless given.
    """
    if not isinstance(small, SmallForm):
        return None
    runs = small.planned(scale, experiments[:1] if chosen is None else experiments)
    return next((r.seconds for r in runs if chosen in (None, r.experiment)), None)


def announcement(
    experiment: Experiment, total: int, seconds: float | None, in_small: float | None = None
) -> str:
    """Say what `--test` does and about how long it takes.

    Args:
        experiment: the one that it runs.
        total: experiments in the list.
        seconds: about how long the run takes; None where it is not known.
        in_small: the same at `--scale small`; None at that scale, or where there is none.

    Returns:
        such as `Testing 1 of 8 experiments: SGD 10^0, 2000 steps, about 20 s.`
    """
    optimizer = experiment.optimizer
    length = f"{experiment.steps} steps" if experiment.steps else f"{experiment.epochs} epochs"
    what = f"Testing 1 of {total} experiment{'' if total == 1 else 's'}: "
    what += f"{kind_of(optimizer)} {optimizer.learning_rate}, {length}"
    if seconds is not None:
        what += f", about {duration(seconds + _AROUND)}"
    if in_small is None or (seconds is not None and seconds + _AROUND <= QUICK):
        return f"{what}."
    hours = "" if seconds is not None else ", maybe hours without a GPU"
    return f"{what}{hours}; --scale small takes about {duration(in_small + _AROUND)}."
