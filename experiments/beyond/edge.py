"""Below the edge of stability: figures 4 and 22 at smaller learning rates, for smoother curves.

Softmax regression on random inputs, by class, for the methods whose losses jump at their best rate.
These runs are no part of a claim: figures 4 and 22 show, for each method, the best learning rate
without spikes (`optexp_jax.results.spikes`).

Figure: 4, 22
Command: python -m experiments.beyond.edge --local
Time: as long as `toy_models.balanced_x_perclass`, 10 runs of at most 4 hours on a GPU.
Expected: half a decade below the best rate losses fall smoothly, and those of GD on rare classes
last.
"""

from fractions import Fraction

from experiments.small import small
from experiments.toy_models import balanced_x, balanced_x_perclass, balanced_x_perclass_alt_opt
from optexp_jax.cli import main
from optexp_jax.grid import at_best

SPIKY = (
    "SGD + momentum",
    "Adam",
    "Adam + momentum",
    "NormalizedGD",
    "NormalizedGD + momentum",
)
_best = balanced_x_perclass.exponents | balanced_x_perclass_alt_opt.exponents

experiments = [
    experiment
    for below in (Fraction(1), Fraction(1, 2))
    for experiment in at_best(
        balanced_x.experiments,
        {name: str(Fraction(_best[name]) - below) for name in SPIKY},
        group="beyond_edge",
        per_class=True,
    )
]
resources = "p100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
