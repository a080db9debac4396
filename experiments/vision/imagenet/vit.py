"""The simple vision transformer S/16 on Small and on Heavy-Tailed ImageNet, one group each.

Figure: 17
Command: python -m experiments.vision.imagenet.vit --local
Time: not measured.
Expected: heavy tails leave Adam as it is and slow SGD down.
"""

import dataclasses

from experiments.small import small
from experiments.vision.imagenet import resnet18_layer_norm, resnet18_small
from optexp_jax.cli import main
from optexp_jax.grid import replace_in_problem
from optexp_jax.models import SimpleViT

model = SimpleViT(resnet18_small.dataset.num_classes)

experiments = [
    dataclasses.replace(e, group=e.group.replace("ResNet18LayerNorm", "SimpleViT"))
    for e in replace_in_problem(resnet18_layer_norm.experiments, model=model)
]
resources = "images_24h"

if __name__ == "__main__":
    main(experiments, resources, small)
