"""Which steps are recorded, which of them by class, and how long chunks are."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from optexp_jax.experiment import Experiment

PER_CLASS_ROWS = 200


def thinned(last: int, count: int = PER_CLASS_ROWS) -> np.ndarray:
    """About `count` steps from 0 to `last`, half spaced linearly and half logarithmically.

    >>> thinned(1000, 8)
    array([   0,    1,   10,  100,  333,  667, 1000])
    """
    half = count // 2
    linear = np.linspace(0, last, half)
    logarithmic = np.geomspace(1, max(last, 1), half)
    return np.unique(np.rint(np.concatenate([linear, logarithmic])).astype(np.int64))


@dataclasses.dataclass(frozen=True)
class Schedule:
    """The steps of a run.

    Args:
        total: steps of the run; rows are recorded at steps 0 .. total.
        every: distance between recorded steps.
        steps_per_epoch: steps in an epoch.
        keep: steps at which the parameters are kept.
    """

    total: int
    every: int
    steps_per_epoch: int
    keep: tuple[int, ...] = ()

    @classmethod
    def of(cls, experiment: Experiment, num_examples: int) -> Schedule:
        """The schedule of an experiment on that many training examples."""
        per_epoch = experiment.problem.batching.steps_per_epoch(num_examples)
        if experiment.steps is not None:
            return cls(experiment.steps, experiment.eval_every, per_epoch, experiment.keep_steps)
        total = (experiment.epochs or 0) * per_epoch
        return cls(total, experiment.eval_every * per_epoch, per_epoch, experiment.keep_steps)

    @classmethod
    def of_length(cls, experiment: Experiment, total: int) -> Schedule:
        """The schedule of an experiment whose run has so many steps; steps of an epoch may be 1.

        >>> from optexp_jax.schedule import Schedule
        >>> Schedule(total=6, every=4, steps_per_epoch=1).rows_of(6)[0]
        array([0, 4, 6])
        """
        per_epoch = total // experiment.epochs if experiment.epochs else 1
        return cls(total, experiment.eval_every * per_epoch, per_epoch, experiment.keep_steps)

    def rows_of(self, last: int) -> tuple[np.ndarray, np.ndarray]:
        """The steps of all rows of a run that ended at a step, and of its rows by class.

        A run that diverged has a row of its last step, recorded or not.
        """
        recorded = self.recorded(0, last + 1)
        classes = self.by_class(recorded)
        if last not in recorded:
            recorded, classes = np.append(recorded, last), np.append(classes, last)
        return recorded, classes

    def recorded(self, start: int, stop: int) -> np.ndarray:
        """Recorded steps in [start, stop): multiples of `every`, and the last step."""
        first = -(-start // self.every) * self.every
        steps = np.arange(first, stop, self.every)
        if start <= self.total < stop and self.total % self.every:
            steps = np.append(steps, self.total)
        return steps

    def by_class(self, recorded: np.ndarray) -> np.ndarray:
        """Those recorded steps whose per-class arrays are kept, about 200 in all."""
        wanted = _rounded(self.total, self.every)
        return recorded[np.isin(recorded, wanted) | (recorded == self.total)]

    def chunk_end(self, start: int, wanted: int) -> int:
        """End of a chunk of about `wanted` steps, which stops where parameters are kept."""
        end = min(start + wanted, self.total)
        return min([end, *(k for k in self.keep if start < k < end)])


@functools.lru_cache(maxsize=64)
def _rounded(total: int, every: int) -> np.ndarray:
    """The thinned steps, those of the nearest rows; the same for all runs of a group."""
    found = np.minimum(np.rint(thinned(total) / every) * every, total)
    found.setflags(write=False)
    return found
