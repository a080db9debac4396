"""The optimizers that people compare today, over learning rates around those that are usual."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from optexp_jax import LearningRate, lr_grid
from optexp_jax.grid import over_rates
from optexp_jax.optim import (
    SGD,
    SOAP,
    Adafactor,
    Adam,
    AdamW,
    Lion,
    Muon,
    Optimizer,
    Partitioned,
    ScheduleFreeAdamW,
    Signum,
)

HIDDEN = ("mlp", "other", "qk", "vo")
EVERY = ("embedding", "head", *HIDDEN)
LINEAR = (("kernel", "head"),)  # the only layer of a linear model is its head
LONGEST = 1024  # of an axis with a basis of SOAP: no axis of words has one


def todays() -> list[Optimizer]:
    """Ten methods, each at half decades of its learning rate; a constant rate, no clipping."""
    return [
        *over_rates(SGD, lr_grid(-3, 0, density=1), momentum=0.9),
        *over_rates(Adam, lr_grid(-5, -2, density=1)),
        *over_rates(AdamW, lr_grid(-5, -2, density=1), weight_decay=0.1),
        *over_rates(Signum, lr_grid(-5, -2, density=1)),
        *over_rates(Lion, lr_grid(-5, -2, density=1)),
        *over_rates(Muon, lr_grid(-4, -1, density=1), takes=HIDDEN, rules=LINEAR),
        *over_rates(Muon, lr_grid(-4, -1, density=1), takes=EVERY, rules=LINEAR),
        *over_rates(SOAP, lr_grid(-5, -2, density=1), max_precondition_dim=LONGEST),
        *over_rates(Adafactor, lr_grid(-4, -1, density=1)),
        *over_rates(ScheduleFreeAdamW, lr_grid(-4, -1, density=1)),
    ]


def only(factors: Sequence[LearningRate], **parts: Optimizer) -> list[Optimizer]:
    """Optimizers for the roles that are named, and for `others`, by factors of all rates."""
    named = tuple(("*" if role == "others" else role, part) for role, part in parts.items())
    return [*over_rates(functools.partial(Partitioned, named), factors)]
