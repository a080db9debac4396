"""The optimizers of today on a two-layer transformer and the Penn Treebank, by frequency.

Figure: B4
Command: python -m experiments.beyond.today_text --local
Time: as long as `imbalance.PTB`, 70 runs of at most 12 hours on a P100.
Expected: nearly every method ends below SGD on rare words; they differ less on frequent ones.
"""

from experiments.beyond.methods import todays
from experiments.imbalance import PTB
from experiments.small import small
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over

experiments = experiments_over(
    todays(), PTB.problem, group="beyond_today_text", epochs=100, per_class=True
)
resources = "p100_12h"

if __name__ == "__main__":
    main(experiments, resources, small)
