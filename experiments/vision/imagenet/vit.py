"""The simple vision transformer S/16 on Small and on Heavy-Tailed ImageNet, one group each.

Figure: 17
Command: python -m experiments.vision.imagenet.vit --local
Time: not measured.
Expected: heavy tails leave Adam as it is and slow SGD down.
"""

import dataclasses

from experiments.small import small
from experiments.vision.imagenet import resnet18_heavy_tailed, resnet18_small
from optexp_jax.grid import replace_all
from optexp_jax.launch.cli import main
from optexp_jax.models import SimpleViT

model = SimpleViT(resnet18_small.dataset.num_classes)

experiments = [
    experiment
    for module, name in [(resnet18_small, "Small"), (resnet18_heavy_tailed, "HeavyTailed")]
    for experiment in replace_all(
        module.experiments,
        problem=dataclasses.replace(module.problem, model=model),
        group=f"SimpleViT_{name}ImageNet",
        keep_steps=(),
    )
]

if __name__ == "__main__":
    main(experiments, small=small)
