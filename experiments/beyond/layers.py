"""Which layers of a transformer need Adam: parts of it on Adam, the others on SGD.

The problem of figure 12. A mixture has two rates, those at which SGD and Adam end lowest alone, and
one factor for both is searched. Beside them are methods between SGD and Adam: one second moment for
each layer (Adalayer) or for each neuron, head and token (Adam-mini), and SGD whose columns are
normalised, also with momentum on the head only.

Figure: B5
Command: python -m experiments.beyond.layers --local
Time: as long as `imbalance.PTB`, 45 runs of at most 12 hours on a P100.
Expected: Adam on head and norms only is nearly Adam; without Adam on the head it is SGD.
"""

from experiments.beyond.methods import only
from experiments.imbalance import PTB
from experiments.small import small
from optexp_jax import LearningRate, lr_grid
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over, over_rates
from optexp_jax.optim import SGD, Adalayer, Adam, AdamMini, ColumnNormalizedGD

sgd, adam = SGD(LearningRate(-1), momentum=0.9), Adam(LearningRate("-5/2"))
one = LearningRate(0)
slow, fast = ColumnNormalizedGD(one), ColumnNormalizedGD(one, momentum=0.9)
factors = lr_grid(-1, 1, density=1)
adams = lr_grid(-4, -2, density=1)

optimizers = [
    *over_rates(SGD, lr_grid(-2, 0, density=1), momentum=0.9),
    *over_rates(Adam, adams),
    *only(factors, head=adam, norm=adam, others=sgd),
    *only(factors, head=adam, others=sgd),
    *only(factors, head=sgd, others=adam),
    *over_rates(Adalayer, adams),
    *over_rates(AdamMini, adams),
    *over_rates(ColumnNormalizedGD, lr_grid(-3, -1, density=1), momentum=0.9),
    *only(lr_grid(-3, -1, density=1), head=fast, others=slow),
]

experiments = experiments_over(
    optimizers, PTB.problem, group="beyond_layers", epochs=100, per_class=True
)
resources = "p100_12h"

if __name__ == "__main__":
    main(experiments, resources, small)
