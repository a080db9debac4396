"""The optimizers of today on softmax regression with a heavy tail, by frequency.

Figure: B4
Command: python -m experiments.beyond.today_linear --local
Time: as long as `toy_models.balanced_x`, 70 runs of at most 4 hours on a GPU.
Expected: nearly every method ends below SGD on rare classes; they differ less on frequent ones.
"""

from experiments.beyond.methods import todays
from experiments.small import small
from experiments.toy_models import balanced_x
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over

experiments = experiments_over(
    todays(), balanced_x.problem, group="beyond_today_linear", epochs=1000, per_class=True
)
resources = "p100_4h"

if __name__ == "__main__":
    main(experiments, resources, small)
