"""The transformer on the Penn Treebank with other optimizers, with losses by class.

Scaled sign descent, Adagrad and GD with a line search, in the group of SGD and Adam.

Figure: none
Command: python -m experiments.imbalance.PTB_with_class_stats_alt_opt --local
Time: 100 epochs took the paper at most 12 hours on a P100.
Expected: the methods that rescale every coordinate lower all tenths; a line search does not help.
"""

from experiments.imbalance import PTB, PTB_with_class_stats
from experiments.small import small
from optexp_jax.cli import main
from optexp_jax.grid import at_best, replace_all
from optexp_jax.optim import LineSearchGD

shared = {"group": PTB_with_class_stats.experiments[0].group, "per_class": True}

experiments = [
    *at_best(
        PTB.experiments,
        {"ScaledSignDescent": "-15/2", "ScaledSignDescent + momentum": "-15/2", "Adagrad": "-5/2"},
        **shared,
    ),
    *replace_all(PTB.experiments[:1], optimizer=LineSearchGD(), **shared),
]
resources = "p100_12h"

if __name__ == "__main__":
    main(experiments, resources, small)
