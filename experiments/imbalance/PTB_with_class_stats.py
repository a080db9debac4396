"""The transformer on the Penn Treebank at the best learning rates of `PTB`, with losses by class.

Figure: 12, 31
Command: python -m experiments.imbalance.PTB_with_class_stats --local
Time: 100 epochs took the paper at most 12 hours on a P100.
Expected: SGD makes little progress on the rarest tenth of the words, Adam lowers all tenths.
"""

from experiments.imbalance import PTB
from experiments.small import small
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {"SGD": -1, "SGD + momentum": "-3/2", "Adam": -4, "Adam + momentum": "-7/2"}

experiments = at_best(
    PTB.experiments,
    exponents,
    group="TEnc_standard_training_PTB_per_class",
    per_class=True,
    keep_steps=(0, 1, 5, 10, 50, 100),
)
resources = "p100_12h"

if __name__ == "__main__":
    main(experiments, resources, small)
