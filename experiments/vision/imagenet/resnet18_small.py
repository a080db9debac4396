"""ResNet-18 on Small ImageNet, 10 images of each of 1,000 classes: learning rates, by class.

The paper shows it; its code has the model and the loader only. Grid and length are ours.

Figure: 3a
Command: python -m experiments.vision.imagenet.resnet18_small --local
Time: not measured.
Expected: with classes of one size SGD does as well as Adam.
"""

from experiments.small import small
from optexp_jax import MiniBatch, Problem
from optexp_jax.cli import main
from optexp_jax.datasets import SmallImageNet
from optexp_jax.grid import coarse_to_fine, experiments_of
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import resnet18
from optexp_jax.optim import SGD, Adam

dataset = SmallImageNet()
problem = Problem(resnet18(dataset.num_classes), dataset, CrossEntropy(), MiniBatch(1024))

runs = [
    *coarse_to_fine(SGD, (-4, 1), (-2, 0), momentum=0.9),
    *coarse_to_fine(Adam, (-6, -1), (-4, -2)),
]

experiments = experiments_of(
    runs, problem, group="ResNet18_SmallImageNet", epochs=200, per_class=True
)
resources = "images_24h"

if __name__ == "__main__":
    main(experiments, resources, small)
