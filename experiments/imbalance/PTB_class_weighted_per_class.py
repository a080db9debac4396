"""The weighted transformer at the best rates of `PTB_class_weighted`, with losses by class.

Figure: 25
Command: python -m experiments.imbalance.PTB_class_weighted_per_class --local
Time: 100 epochs took the paper at most 6 hours on a P100.
Expected: reweighted SGD lowers the rare words that plain SGD leaves; Adam gains nothing by it.
"""

from experiments.imbalance import PTB_class_weighted
from experiments.small import small
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {"SGD": 0, "SGD + momentum": "-1/2", "Adam": "-7/2", "Adam + momentum": "-7/2"}

experiments = at_best(
    PTB_class_weighted.experiments,
    exponents,
    group="TEnc_standard_training_class_weighted_PTB_per_class",
    per_class=True,
)
resources = "p100_6h"

if __name__ == "__main__":
    main(experiments, resources, small)
