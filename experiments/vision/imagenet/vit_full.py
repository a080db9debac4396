"""The simple vision transformer S/16 on the whole of ImageNet for 90 epochs: learning rates.

Figure: 16
Command: python -m experiments.vision.imagenet.vit_full --local
Time: not measured.
Expected: with 1,300 images of each class SGD does as well as Adam.
"""

import dataclasses

from experiments.small import small
from experiments.vision.imagenet import vit
from experiments.vision.imagenet.resnet18_small import runs
from optexp_jax.cli import main
from optexp_jax.datasets import ImageNet
from optexp_jax.grid import experiments_of

problem = dataclasses.replace(vit.experiments[0].problem, dataset=ImageNet())

experiments = experiments_of(runs, problem, group="SimpleViT_ImageNet", epochs=90, per_class=True)
resources = "images_24h"

if __name__ == "__main__":
    main(experiments, resources, small)
