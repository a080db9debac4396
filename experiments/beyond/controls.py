"""Controls: does the gap of SGD to Adam survive small batches, clipping and a schedule?

The problem of figure 12. Batches of the size of the paper or a quarter of it, as many epochs of
each; gradients clipped at the norm 0.25 or not; a constant rate, or warm-up and cosine: all eight.
Besides, no dropout, and smoothed labels. Each setting is a group with learning rates of its own.

Figure: B6
Command: python -m experiments.beyond.controls --local
Time: as long as `imbalance.PTB`, 120 runs of at most 12 hours on a P100.
Expected: each control closes a part of the gap, small batches with clipping most of it; on the
rarest words it stays.
"""

import dataclasses
from collections.abc import Iterator

from experiments.imbalance import PTB
from experiments.small import small
from optexp_jax import Experiment, MiniBatch, Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.losses import CrossEntropy
from optexp_jax.optim import SGD, Adam, Cosine

GROUP = "beyond_controls"
BATCH, CLIP, SMOOTHING = 128, 0.25, 0.1


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is unlike figure 12.

    Args:
        batch: whether batches are smaller.
        clip: whether gradients are clipped.
        schedule: whether there is warm-up and a cosine.
        dropout: whether there is dropout, as in figure 12.
        smoothing: whether labels are smoothed.
    """

    batch: bool = False
    clip: bool = False
    schedule: bool = False
    dropout: bool = True
    smoothing: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The controls that are on, in a word each."""
        on = {
            "batch": self.batch,
            "clip": self.clip,
            "schedule": self.schedule,
            "no_dropout": not self.dropout,
            "smoothing": self.smoothing,
        }
        return tuple(word for word, is_on in on.items() if is_on)

    @property
    def group(self) -> str:
        """The group of its runs."""
        return "_".join((GROUP, *(self.words or ("none",))))

    @property
    def problem(self) -> Problem:
        """What is learned."""
        problem = PTB.problem
        return dataclasses.replace(
            problem,
            model=problem.model if self.dropout else problem.model.clone(dropout=0.0),
            loss=CrossEntropy(label_smoothing=SMOOTHING if self.smoothing else 0.0),
            batching=MiniBatch(BATCH, shuffle=False) if self.batch else problem.batching,
        )

    def experiments(self) -> Iterator[Experiment]:
        """SGD with momentum and Adam, each at half decades of its learning rate."""
        modifiers = {
            "clip": CLIP if self.clip else None,
            "schedule": Cosine(warmup="10%") if self.schedule else None,
        }
        optimizers = [
            *over_rates(SGD, lr_grid(-2, 1, density=1), momentum=0.9, **modifiers),
            *over_rates(Adam, lr_grid(-4, -2, density=1), **modifiers),
        ]
        yield from experiments_over(
            optimizers, self.problem, group=self.group, epochs=80, per_class=True
        )


NONE = Setting()
SETTINGS = (
    *(Setting(b, c, s) for b in (False, True) for c in (False, True) for s in (False, True)),
    Setting(dropout=False),
    Setting(smoothing=True),
)
experiments = [experiment for setting in SETTINGS for experiment in setting.experiments()]
resources = "p100_12h"

if __name__ == "__main__":
    main(experiments, resources, small)
