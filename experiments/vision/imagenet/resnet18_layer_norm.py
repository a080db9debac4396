"""ResNet-18 with norms over the layer, on Small and on Heavy-Tailed ImageNet, one group each.

Figure: 15
Command: python -m experiments.vision.imagenet.resnet18_layer_norm --local
Time: not measured.
Expected: Adam is slightly ahead with classes of one size, clearly with heavy tails.
"""

from experiments.small import small
from experiments.vision.imagenet import resnet18_heavy_tailed, resnet18_small
from optexp_jax.cli import main
from optexp_jax.grid import replace_all, replace_in_problem
from optexp_jax.models import resnet18

model = resnet18(resnet18_small.dataset.num_classes, norm="layer")

experiments = [
    experiment
    for module, name in [(resnet18_small, "Small"), (resnet18_heavy_tailed, "HeavyTailed")]
    for experiment in replace_all(
        replace_in_problem(module.experiments, model=model),
        group=f"ResNet18LayerNorm_{name}ImageNet",
        keep_steps=(),
    )
]
resources = "images_24h"

if __name__ == "__main__":
    main(experiments, resources, small)
