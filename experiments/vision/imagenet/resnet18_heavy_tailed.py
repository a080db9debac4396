"""ResNet-18 on Heavy-Tailed ImageNet, ⌈1300/k⌉ images of the k-th class: learning rates, by class.

Parameters are kept at steps 0, 1, 5, 10, 50 and 100, for the gradients and Hessians by class.

Figure: 3, 30
Command: python -m experiments.vision.imagenet.resnet18_heavy_tailed --local
Time: not measured.
Expected: from 6.9, SGD falls behind Adam, most on the rarest classes.
"""

from experiments.small import small
from experiments.vision.imagenet import resnet18_small
from optexp_jax.cli import main
from optexp_jax.datasets import HeavyTailedImageNet
from optexp_jax.grid import replace_all, replace_in_problem

experiments = replace_all(
    replace_in_problem(resnet18_small.experiments, dataset=HeavyTailedImageNet()),
    group="ResNet18_HeavyTailedImageNet",
    keep_steps=(0, 1, 5, 10, 50, 100),
)
resources = "images_24h"

if __name__ == "__main__":
    main(experiments, resources, small)
