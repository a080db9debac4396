"""The simple vision transformer S/16 on Small and on Heavy-Tailed ImageNet, one group each.

Figure: 17
Command: python -m experiments.vision.imagenet.vit --local
Time: not measured.
Expected: heavy tails leave Adam as it is and slow SGD down.
"""

import dataclasses

from experiments.small import small
from experiments.vision.imagenet import resnet18_layer_norm, resnet18_small
from optexp_jax.launch.cli import main
from optexp_jax.models import SimpleViT

model = SimpleViT(resnet18_small.dataset.num_classes)

experiments = [
    dataclasses.replace(
        experiment,
        problem=dataclasses.replace(experiment.problem, model=model),
        group=experiment.group.replace("ResNet18LayerNorm", "SimpleViT"),
    )
    for experiment in resnet18_layer_norm.experiments
]

if __name__ == "__main__":
    main(experiments, slurm="images_24h", small=small)
