"""A batch-size sweep: batch size x learning rate x optimizer, over the same epochs or steps.

Run `python examples/batch_sizes.py --local`; `--report` and `--plot` compare the batch sizes, and
`--plot --where batching.size=64` draws one of them.
"""

from optexp_jax import FullBatch, MiniBatch, Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.grid import experiments_over, grid
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam

data = RandomHeavyTailedLabels(size=6)  # 384 examples of 127 classes, 6 frequencies
model = Linear(data.num_inputs, data.num_classes)
batches = [*grid(MiniBatch, size=(16, 64)), FullBatch()]
problems = grid(Problem, model=model, dataset=data, loss=CrossEntropy(), batching=batches)
optimizers = [
    *grid(SGD, learning_rate=lr_grid(-2, 1), momentum=0.9),
    *grid(Adam, learning_rate=lr_grid(-4, -1)),
]
same_epochs = {"group": "batch-sizes-epochs", "epochs": 30}
same_steps = {"group": "batch-sizes-steps", "steps": 300}
experiments = [
    experiment
    for length in (same_epochs, same_steps)
    for problem in problems
    for experiment in experiments_over(optimizers, problem, **length)
]

if __name__ == "__main__":
    main(experiments)
